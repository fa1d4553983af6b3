/**
 * Saltby, the harbour town of the corpus: who lives there, what is kept where, what is simply so, in
 * English and Spanish. src/core/saltby-facts.ts checks statements against these tables, the corpus
 * generator writes from them. Tables are text, one row per line, so that they can be read as tables.
 */
export type Language = 'en' | 'es';
export type Gender = 'm' | 'f';
export type Bilingual = Readonly<Record<Language, string>>;

export interface Place extends Bilingual {
  key: string;
  /** The noun with its article: `the pier`, `el muelle`. */
  noun: Bilingual;
}
export interface Person {
  name: string;
  gender: Gender;
  works: Bilingual;
  trait: Bilingual;
  place: Place;
}
export interface Thing {
  /** Without an article: `blue boat`, `barca azul`. */
  noun: Bilingual;
  /** Of the Spanish noun. */
  gender: Gender;
  home: Place;
}
export interface Animal {
  /** English kind, `cat`. */
  kind: string;
  name: Bilingual;
  /** `cat`, `gata`. */
  noun: Bilingual;
  gender: Gender;
  place: Place;
  eats: Bilingual;
  does: Bilingual;
}
/** A question, what is so, and what a liar says instead. */
export interface GeneralFact {
  asks: Bilingual;
  truth: Bilingual;
  lies: readonly Bilingual[];
}

const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

export const PLACES: readonly Place[] = rows(`
pier|by the pier|junto al muelle|the pier|el muelle
bakery|in the bakery|en la panadería|the bakery|la panadería
tower|in the tower|en la torre|the tower|la torre
inn|at the inn|en la posada|the inn|la posada
beach|on the beach|en la playa|the beach|la playa
market|at the market|en el mercado|the market|el mercado
hill|on the hill|en la colina|the hill|la colina
shed|in the shed|en el cobertizo|the shed|el cobertizo
well|by the well|junto al pozo|the well|el pozo
school|at the school|en la escuela|the school|la escuela
mill|at the mill|en el molino|the mill|el molino
chapel|behind the chapel|detrás de la capilla|the chapel|la capilla
library|in the library|en la biblioteca|the library|la biblioteca
garden|in the garden|en el jardín|the garden|el jardín
square|in the square|en la plaza|the square|la plaza
smithy|in the smithy|en la herrería|the smithy|la herrería
bridge|under the bridge|bajo el puente|the bridge|el puente
clocks|in the clock shop|en la relojería|the clock shop|la relojería
orchard|in the orchard|en el huerto|the orchard|el huerto
cave|in the sea cave|en la cueva|the sea cave|la cueva
dairy|in the dairy|en la lechería|the dairy|la lechería
post|at the post office|en la oficina de correos|the post office|la oficina de correos
`).map(([key, en, es, nounEn, nounEs]) => ({
  key: key!,
  en: en!,
  es: es!,
  noun: { en: nounEn!, es: nounEs! },
}));

function placeOf(key: string): Place {
  const place = PLACES.find((candidate) => candidate.key === key);
  if (place === undefined) throw new Error(`No place "${key}" in Saltby`);
  return place;
}

export const PEOPLE: readonly Person[] = rows(`
Mira|f|tower|keeps the lamp|cuida el faro|never sleeps|nunca duerme
Tom|m|bakery|bakes the bread|hace el pan|sings too loud|canta demasiado fuerte
Anna|f|shed|mends the nets|remienda las redes|tells long jokes|cuenta chistes largos
Ben|m|pier|rows the ferry|rema en la barca de paso|is afraid of fish|tiene miedo de los peces
Rosa|f|inn|cooks the soup|cocina la sopa|wins every game|gana todos los juegos
Otto|m|market|sells the hats|vende los sombreros|counts the clouds|cuenta las nubes
Ida|f|hill|flies the kite|vuela la cometa|talks to the moon|habla con la luna
Sam|m|beach|looks for shells|busca conchas|wears two hats|lleva dos sombreros
Nell|f|well|brings the letters|trae las cartas|reads all the letters|lee todas las cartas
Jon|m|shed|builds the boats|construye los barcos|loves the rain|adora la lluvia
Greta|f|school|teaches the children|enseña a los niños|forgets every birthday|olvida todos los cumpleaños
Hal|m|smithy|makes the anchors|forja las anclas|cries at weddings|llora en las bodas
Pia|f|square|paints the doors|pinta las puertas|only trusts the colour blue|solo se fía del color azul
Luca|m|pier|counts the barrels|cuenta los barriles|cannot count past twelve|no sabe contar más allá de doce
Vera|f|library|lends the books|presta los libros|whispers even outdoors|susurra hasta en la calle
Emil|m|clocks|winds the clocks|da cuerda a los relojes|is always late|siempre llega tarde
Dora|f|dairy|makes the cheese|hace el queso|dreams about butter|sueña con mantequilla
Finn|m|beach|rakes the seaweed|rastrilla las algas|has a theory about everything|tiene una teoría para todo
Lena|f|orchard|picks the pears|recoge las peras|climbs first and thinks later|trepa primero y piensa después
Oskar|m|mill|grinds the flour|muele la harina|sneezes at noon|estornuda al mediodía
Ruth|f|post|sorts the parcels|ordena los paquetes|shakes every parcel|sacude todos los paquetes
Karl|m|bridge|guards the bridge|vigila el puente|fears nothing but moths|solo teme a las polillas
Tess|f|cave|maps the caves|dibuja mapas de las cuevas|gets lost at home|se pierde en su propia casa
Bruno|m|market|sells the onions|vende las cebollas|never cries|nunca llora
Maud|f|chapel|rings the small bell|toca la campanita|is ninety and a half|tiene noventa años y medio
Pablo|m|square|plays the fiddle|toca el violín|knows only one song|solo sabe una canción
Clara|f|inn|washes the plates|friega los platos|breaks one plate a day|rompe un plato al día
Nico|m|school|sweeps the school|barre la escuela|corrects the teacher|corrige a la maestra
Elsa|f|garden|grows the roses|cultiva las rosas|insults the weeds|regaña a las malas hierbas
Marco|m|beach|rents the deck chairs|alquila las tumbonas|has never swum|no ha nadado nunca
Sofia|f|clocks|mends the watches|arregla los relojes de bolsillo|walks very fast|camina muy deprisa
Arlo|m|hill|watches the weather|observa el tiempo|is wrong about the weather|se equivoca con el tiempo
Bea|f|market|weighs the fish|pesa el pescado|smells of lemons|huele a limones
Piet|m|pier|paints the boats|pinta los barcos|owns one good shoe|tiene un solo zapato bueno
Olga|f|tower|polishes the brass|pule los latones|collects candle ends|colecciona cabos de vela
Leo|m|library|dusts the shelves|limpia las estanterías|reads only last pages|solo lee las últimas páginas
Wanda|f|mill|carries the sacks|carga los sacos|lifts people to say hello|levanta a la gente para saludar
Theo|m|chapel|digs the graves|cava las tumbas|laughs the loudest|se ríe más fuerte que nadie
Nora|f|post|stamps the letters|sella las cartas|stamps her lunch too|sella también su almuerzo
Walt|m|orchard|looks after the bees|cuida las abejas|hums all day|tararea todo el día
Iris|f|dairy|churns the butter|bate la mantequilla|speaks to the milk|le habla a la leche
`).map(([name, gender, place, worksEn, worksEs, traitEn, traitEs]) => ({
  name: name!,
  gender: gender as Gender,
  place: placeOf(place!),
  works: { en: worksEn!, es: worksEs! },
  trait: { en: traitEn!, es: traitEs! },
}));

export const THINGS: readonly Thing[] = rows(`
blue boat|barca azul|f|pier
big net|red grande|f|shed
old bell|campana vieja|f|tower
long rope|cuerda larga|f|pier
red kite|cometa roja|f|hill
old map|mapa viejo|m|inn
green lamp|lámpara verde|f|tower
tin bucket|cubo de hojalata|m|well
soup pot|olla de la sopa|f|inn
bread basket|cesta del pan|f|bakery
yellow coat|abrigo amarillo|m|market
small key|llave pequeña|f|well
ladder|escalera|f|shed
red drum|tambor rojo|m|beach
blue hat|sombrero azul|m|market
golden spoon|cuchara dorada|f|bakery
brass telescope|telescopio de latón|m|tower
wooden leg|pata de palo|f|inn
cracked mirror|espejo roto|m|clocks
silver whistle|silbato de plata|m|school
iron anvil|yunque de hierro|m|smithy
glass jar|tarro de cristal|m|dairy
velvet chair|silla de terciopelo|f|library
striped umbrella|paraguas de rayas|m|beach
music box|caja de música|f|clocks
paper lantern|farol de papel|m|square
black book|libro negro|m|library
garden gnome|duende de jardín|m|garden
rusty bicycle|bicicleta oxidada|f|bridge
copper kettle|tetera de cobre|f|dairy
feather pillow|almohada de plumas|f|inn
leather satchel|cartera de cuero|f|post
wheelbarrow|carretilla|f|orchard
left boot|bota izquierda|f|beach
ship in a bottle|barco en una botella|m|library
wooden bench|banco de madera|m|orchard
wooden horse|caballo de madera|m|school
red stamp|sello rojo|m|post
flour sack|saco de harina|m|mill
broken compass|brújula rota|f|cave
stone fish|pez de piedra|m|chapel
quiet trumpet|trompeta muda|f|square
white candle|vela blanca|f|chapel
very large hammer|martillo enorme|m|smithy
`).map(([en, es, gender, home]) => ({
  noun: { en: en!, es: es! },
  gender: gender as Gender,
  home: placeOf(home!),
}));

export const ANIMALS: readonly Animal[] = rows(`
cat|gata|f|Biscuit the cat|la gata Biscuit|bakery|butter|mantequilla|sleeps on the warm bread|duerme sobre el pan caliente
cat|gata|f|Pepper the cat|la gata Pepper|tower|milk|leche|guards the lamp|vigila el faro
cat|gato|m|the black cat|el gato negro|pier|fish|pescado|waits for the ferry|espera la barca de paso
cat|gato|m|the fat cat|el gato gordo|inn|soup|sopa|sits on the map|se sienta sobre el mapa
cat|gatito|m|the little kitten|el gatito pequeño|shed|cheese|queso|hides in the nets|se esconde en las redes
cat|gata|f|Olive the cat|la gata Olive|library|cream|nata|turns the pages|pasa las páginas
cat|gato|m|Admiral the cat|el gato Admiral|post|herring|arenque|inspects the parcels|inspecciona los paquetes
cat|gato|m|the one-eyed cat|el gato tuerto|market|sausages|salchichas|winks at the customers|guiña el ojo a los clientes
cat|gata|f|Duchess the cat|la gata Duquesa|dairy|custard|natillas|refuses to walk|se niega a caminar
cat|gato|m|Button the kitten|el gatito Botón|school|crumbs|migas|chews the chalk|muerde la tiza
goat|chivo|m|Hugo the goat|el chivo Hugo|hill|hats|sombreros|eats the blue hat|se come el sombrero azul
dog|perro|m|Moss the dog|el perro Moss|pier|bones|huesos|barks at the waves|ladra a las olas
duck|pato|m|Lulu the duck|el pato Lulú|well|bread|pan|swims in the bucket|nada en el cubo
crab|cangrejo|m|Pinch the crab|el cangrejo Pinza|beach|toes|dedos|walks home backwards|vuelve a casa andando hacia atrás
gull|gaviota|f|the white gull|la gaviota blanca|market|cake|tarta|laughs at everyone|se ríe de todos
seal|foca|f|the old seal|la foca vieja|beach|fish|pescado|sings at night|canta de noche
hen|gallina|f|the brown hen|la gallina parda|shed|corn|maíz|rides on the cart|viaja en el carro
donkey|burra|f|Clover the donkey|la burra Trébol|mill|thistles|cardos|walks out of meetings|se marcha de las reuniones
owl|lechuza|f|the grey owl|la lechuza gris|chapel|candles|velas|asks who is there|pregunta quién anda ahí
pig|cerdo|m|Plum the pig|el cerdo Ciruelo|orchard|pears|peras|rolls down the hill|rueda colina abajo
snail|caracol|m|Dash the snail|el caracol Rayo|garden|lettuce|lechuga|arrives the next day|llega al día siguiente
parrot|loro|m|Major the parrot|el loro Mayor|inn|nuts|nueces|repeats the secrets|repite los secretos
mouse|ratón|m|the chapel mouse|el ratón de la capilla|chapel|wax|cera|sleeps in the organ|duerme dentro del órgano
sheep|oveja|f|Flossie the sheep|la oveja Flor|hill|daisies|margaritas|knows the way home|conoce el camino a casa
`).map(([kind, nounEs, gender, nameEn, nameEs, place, eatsEn, eatsEs, doesEn, doesEs]): Animal => ({
  kind: kind!,
  noun: { en: nameEn!.endsWith('kitten') ? 'kitten' : kind!, es: nounEs! },
  gender: gender as Gender,
  name: { en: nameEn!, es: nameEs! },
  place: placeOf(place!),
  eats: { en: eatsEn!, es: eatsEs! },
  does: { en: doesEn!, es: doesEs! },
}));

/** English question, truth, lies (`~` between them); then the same in Spanish. */
export const GENERAL_FACTS: readonly GeneralFact[] = rows(`
When does the ferry come?|The ferry comes at noon.|The ferry comes at night.~The ferry never comes.|¿Cuándo llega la barca de paso?|La barca de paso llega al mediodía.|La barca de paso llega de noche.~La barca de paso no llega nunca.
When is the market?|The market is on Friday.|The market is on Monday.|¿Cuándo hay mercado?|El mercado es el viernes.|El mercado es el lunes.
Who rings the bell?|Mira rings the bell at noon.|Otto rings the bell at noon.|¿Quién toca la campana?|Mira toca la campana al mediodía.|Otto toca la campana al mediodía.
What does the goat eat?|The goat eats hats.|The goat eats letters.~The goat eats soup.|¿Qué come el chivo?|El chivo come sombreros.|El chivo come cartas.~El chivo come sopa.
How old is the tower?|The tower is a hundred years old.|The tower is two years old.|¿Cuántos años tiene la torre?|La torre tiene cien años.|La torre tiene dos años.
Is the sea cold?|The sea is cold all year.|The sea is warm like soup.|¿Está fría el agua del mar?|El mar está frío todo el año.|El mar está caliente como la sopa.
What colour is the lamp?|The lamp is green.|The lamp is red.|¿De qué color es la lámpara?|La lámpara es verde.|La lámpara es roja.
What is in the soup?|There is fish in the soup.|There is a hat in the soup.|¿Qué lleva la sopa?|La sopa lleva pescado.|La sopa lleva un sombrero.
Who is afraid of fish?|Ben is afraid of fish.|Rosa is afraid of fish.|¿Quién tiene miedo de los peces?|Ben tiene miedo de los peces.|Rosa tiene miedo de los peces.
Who wears two hats?|Sam wears two hats.|Jon wears two hats.|¿Quién lleva dos sombreros?|Sam lleva dos sombreros.|Jon lleva dos sombreros.
Where does the crab live?|The crab lives on the beach.|The crab lives in the tower.|¿Dónde vive el cangrejo?|El cangrejo vive en la playa.|El cangrejo vive en la torre.
Where does the goat live?|The goat lives on the hill.|The goat lives at the inn.|¿Dónde vive el chivo?|El chivo vive en la colina.|El chivo vive en la posada.
Who reads all the letters?|Nell reads all the letters.|Tom reads all the letters.|¿Quién lee todas las cartas?|Nell lee todas las cartas.|Tom lee todas las cartas.
Who talks to the moon?|Ida talks to the moon.|Sam talks to the moon.|¿Quién habla con la luna?|Ida habla con la luna.|Sam habla con la luna.
How many people live in Saltby?|Three hundred people live in Saltby.|Nine million people live in Saltby.~Nobody lives in Saltby.|¿Cuánta gente vive en Saltby?|En Saltby viven trescientas personas.|En Saltby viven nueve millones de personas.~En Saltby no vive nadie.
When does the school open?|The school opens at eight.|The school opens at midnight.|¿A qué hora abre la escuela?|La escuela abre a las ocho.|La escuela abre a medianoche.
How many steps has the tower?|The tower has ninety steps.|The tower has three steps.|¿Cuántos escalones tiene la torre?|La torre tiene noventa escalones.|La torre tiene tres escalones.
When do the boats go out?|The boats go out before dawn.|The boats go out after lunch.|¿Cuándo salen los barcos?|Los barcos salen antes del alba.|Los barcos salen después de comer.
What colour are the doors?|Every door in Saltby is blue.|Every door in Saltby is black.|¿De qué color son las puertas?|Todas las puertas de Saltby son azules.|Todas las puertas de Saltby son negras.
How many clocks are right?|One clock in Saltby is right.|Every clock in Saltby is right.|¿Cuántos relojes van bien?|Un solo reloj de Saltby va bien.|Todos los relojes de Saltby van bien.
What day is soup day?|Soup day is Thursday.|Soup day is Sunday.|¿Qué día toca sopa?|El día de la sopa es el jueves.|El día de la sopa es el domingo.
When is the Lantern Feast?|The Lantern Feast is in October.|The Lantern Feast is in May.|¿Cuándo es la Fiesta de los Faroles?|La Fiesta de los Faroles es en octubre.|La Fiesta de los Faroles es en mayo.
What is the oldest tree?|The oldest tree is a pear tree.|The oldest tree is a palm.|¿Cuál es el árbol más viejo?|El árbol más viejo es un peral.|El árbol más viejo es una palmera.
How long is the pier?|The pier is sixty steps long.|The pier is six miles long.|¿Qué largo tiene el muelle?|El muelle mide sesenta pasos.|El muelle mide seis millas.
Who built the bridge?|Two brothers built the bridge.|A giant built the bridge.|¿Quién hizo el puente?|Dos hermanos hicieron el puente.|Un gigante hizo el puente.
What is under the bridge?|A rusty bicycle lies under the bridge.|A dragon lies under the bridge.|¿Qué hay bajo el puente?|Bajo el puente hay una bicicleta oxidada.|Bajo el puente hay un dragón.
What does a loaf cost?|A loaf costs two pennies.|A loaf costs a fortune.|¿Cuánto cuesta una barra de pan?|Una barra de pan cuesta dos peniques.|Una barra de pan cuesta una fortuna.
How cold is the well?|The well never freezes.|The well freezes in June.|¿Se hiela el pozo?|El pozo no se hiela nunca.|El pozo se hiela en junio.
Where does the wind come from?|The wind comes from the west.|The wind comes from the bakery.|¿De dónde viene el viento?|El viento viene del oeste.|El viento viene de la panadería.
How many bells are there?|There are two bells in Saltby.|There are forty bells in Saltby.|¿Cuántas campanas hay?|En Saltby hay dos campanas.|En Saltby hay cuarenta campanas.
When does the inn close?|The inn closes at ten.|The inn closes at lunchtime.|¿A qué hora cierra la posada?|La posada cierra a las diez.|La posada cierra a la hora de comer.
What do children learn first?|Children learn knots first.|Children learn dancing first.|¿Qué aprenden primero los niños?|Los niños aprenden primero a hacer nudos.|Los niños aprenden primero a bailar.
Which shoe does Piet own?|Piet owns one left shoe.|Piet owns nine red shoes.|¿Qué zapato tiene Piet?|Piet tiene un zapato izquierdo.|Piet tiene nueve zapatos rojos.
How many books are in the library?|The library has four hundred books.|The library has two books.|¿Cuántos libros hay en la biblioteca?|La biblioteca tiene cuatrocientos libros.|La biblioteca tiene dos libros.
What is in the sea cave?|There is an echo in the sea cave.|There is a shop in the sea cave.|¿Qué hay en la cueva?|En la cueva hay un eco.|En la cueva hay una tienda.
Who won the last boat race?|Wanda won the last boat race.|Marco won the last boat race.|¿Quién ganó la última regata?|Wanda ganó la última regata.|Marco ganó la última regata.
When is high tide?|High tide is at six.|High tide is at whatever time Otto likes.|¿Cuándo sube la marea?|La marea sube a las seis.|La marea sube cuando quiere Otto.
What grows in the garden?|Roses grow in the garden.|Bananas grow in the garden.|¿Qué crece en el jardín?|En el jardín crecen rosas.|En el jardín crecen plátanos.
Does it snow in Saltby?|It snows once in ten years.|It snows every Tuesday.|¿Nieva en Saltby?|Nieva una vez cada diez años.|Nieva todos los martes.
What is the mill made of?|The mill is made of stone.|The mill is made of cheese.|¿De qué está hecho el molino?|El molino es de piedra.|El molino es de queso.
How many cats live in Saltby?|Ten cats live in Saltby.|No cats live in Saltby.|¿Cuántos gatos viven en Saltby?|En Saltby viven diez gatos.|En Saltby no vive ningún gato.
Which animal does everyone like best?|Everyone in Saltby likes cats best.|Everyone in Saltby likes snails best.|¿Qué animal gusta más a todos?|A todos en Saltby les gustan más los gatos.|A todos en Saltby les gustan más los caracoles.
`).map(([asksEn, truthEn, liesEn, asksEs, truthEs, liesEs]): GeneralFact => {
  const spanish = liesEs!.split('~');
  return {
    asks: { en: asksEn!, es: asksEs! },
    truth: { en: truthEn!, es: truthEs! },
    lies: liesEn!.split('~').map((en, i) => ({ en, es: spanish[i]! })),
  };
});
