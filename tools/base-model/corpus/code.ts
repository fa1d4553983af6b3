/** Tiny programs about the town, on their own, explained, or asked about. */
import type { Language } from '../../../src/core/saltby-world';
import type { Draw } from '../draw';
import { PLAIN, type Passage } from '../document';
import { LIES } from './talk';

const NAMES: readonly Readonly<Record<Language, string>>[] = [
  'boats barcos',
  'cats gatos',
  'nets redes',
  'hats sombreros',
  'pears peras',
  'onions cebollas',
  'loaves panes',
  'bells campanas',
  'steps pasos',
  'kites cometas',
  'letters cartas',
  'spoons cucharas',
  'shells conchas',
  'candles velas',
  'plates platos',
  'friends amigos',
  'kittens gatitos',
  'cakes tartas',
  'doors puertas',
  'clocks relojes',
].map((pair) => ({ en: pair.split(' ')[0]!, es: pair.split(' ')[1]! }));

const OPERATORS = {
  '+': { apply: (a: number, b: number) => a + b, en: 'plus', es: 'más' },
  '-': { apply: (a: number, b: number) => a - b, en: 'minus', es: 'menos' },
  '*': { apply: (a: number, b: number) => a * b, en: 'times', es: 'por' },
} as const;

interface Program {
  lines: string[];
  /** What happens, in words, by the right or a wrong number. */
  explain: (result: number) => readonly string[];
  result: number;
  combination: string;
}

type Maker = (draw: Draw, language: Language) => Program;

const small = (draw: Draw): number => 1 + Math.floor(draw.next() * 12);
const either = (language: Language, en: readonly string[], es: readonly string[]) =>
  language === 'en' ? en : es;

function operation(draw: Draw): { a: number; b: number; sign: keyof typeof OPERATORS } {
  const sign = draw.pick(['+', '+', '-', '*'] as const);
  const [x, y] = [small(draw), small(draw)];
  // Differences stay above zero: nobody in Saltby has minus three cats.
  return sign === '-' ? { a: Math.max(x, y) + 1, b: Math.min(x, y), sign } : { a: x, b: y, sign };
}

const sum: Maker = (draw, language) => {
  const name = draw.pick(NAMES)[language];
  const { a, b, sign } = operation(draw);
  const word = OPERATORS[sign][language];
  const print = draw.chance(0.5) ? [`print(${name})`] : [];
  return {
    lines: [`let ${name} = ${a} ${sign} ${b}`, ...print],
    result: OPERATORS[sign].apply(a, b),
    combination: `sum ${a} ${sign} ${b}`,
    explain: (r) =>
      either(
        language,
        [
          `The name ${name} now stands for ${r}, because ${a} ${word} ${b} is ${r}.`,
          `${a} ${word} ${b} is ${r}, so ${name} is ${r}.`,
          `First it works out ${a} ${word} ${b}, which is ${r}. Then it keeps that as ${name}.`,
          `This makes a box called ${name} and puts ${r} in it.`,
          `It counts the ${name}: ${r}.`,
        ],
        [
          `El nombre ${name} vale ahora ${r}, porque ${a} ${word} ${b} son ${r}.`,
          `${a} ${word} ${b} son ${r}, así que ${name} vale ${r}.`,
          `Primero calcula ${a} ${word} ${b}, que son ${r}. Luego lo guarda en ${name}.`,
          `Hace una caja llamada ${name} y mete dentro el ${r}.`,
          `El valor de ${name} es ${r}.`,
        ],
      ),
  };
};

const chain: Maker = (draw, language) => {
  const first = draw.pick(NAMES);
  const second = draw.other(NAMES, first);
  const [x, y] = [first[language], second[language]];
  const a = small(draw) + 1;
  const sign = draw.pick(['+', '*'] as const);
  const b = 1 + Math.floor(draw.next() * 5);
  const word = OPERATORS[sign][language];
  return {
    lines: [`let ${x} = ${a}`, `let ${y} = ${x} ${sign} ${b}`, `print(${y})`],
    result: OPERATORS[sign].apply(a, b),
    combination: `chain ${a} ${sign} ${b}`,
    explain: (r) =>
      either(
        language,
        [
          `There are ${a} ${x}. ${a} ${word} ${b} makes ${r} ${y}, and it prints ${r}.`,
          `It starts with ${x} at ${a}, makes ${y} from it, and prints ${r}.`,
          `The second line uses the first: ${a} ${word} ${b}. It prints ${r}.`,
          `It prints ${r}, one for each of the ${y}.`,
        ],
        [
          `El valor de ${x} es ${a}. ${a} ${word} ${b} son ${r}, y escribe ${r}.`,
          `Empieza con ${x} en ${a}, saca de ahí ${y} y escribe ${r}.`,
          `La segunda línea usa la primera: ${a} ${word} ${b}. Escribe ${r}.`,
          `Escribe ${r}, que es lo que vale ${y}.`,
        ],
      ),
  };
};

const choice: Maker = (draw, language) => {
  const name = draw.pick(NAMES)[language];
  const [a, limit] = [small(draw), small(draw)];
  const more = a > limit;
  const [yes, no] = draw
    .pick(
      either(
        language,
        ['feast|soup', 'row|wait', 'sing|sleep', 'open|closed'],
        ['fiesta|sopa', 'rema|espera', 'canta|duerme', 'abierto|cerrado'],
      ),
    )
    .split('|') as [string, string];
  const said = (r: number): string => (r === 1 ? yes : no);
  return {
    lines: [`let ${name} = ${a}`, `if (${name} > ${limit}) print("${yes}")`, `else print("${no}")`],
    result: more ? 1 : 0,
    combination: `choice ${a} ${limit}`,
    explain: (r) =>
      either(
        language,
        [
          `${a} is ${r === 1 ? '' : 'not '}more than ${limit}, so it says ${said(r)}.`,
          `It asks whether ${name} is more than ${limit}. It prints ${said(r)}.`,
          `Only more than ${limit} would be enough, so the answer is ${said(r)}.`,
        ],
        [
          `${a} ${r === 1 ? '' : 'no '}es más que ${limit}, así que dice ${said(r)}.`,
          `Pregunta si ${name} es más que ${limit}. Escribe ${said(r)}.`,
          `Solo vale con más de ${limit}, así que la respuesta es ${said(r)}.`,
        ],
      ),
  };
};

const call: Maker = (draw, language) => {
  const [name, factor, word] = draw
    .pick(
      either(
        language,
        ['double|2|twice', 'triple|3|three times'],
        ['doble|2|dos veces', 'triple|3|tres veces'],
      ),
    )
    .split('|') as [string, string, string];
  const a = small(draw);
  return {
    lines: [`function ${name}(n) { return n * ${factor} }`, `print(${name}(${a}))`],
    result: a * Number(factor),
    combination: `call ${name} ${a}`,
    explain: (r) =>
      either(
        language,
        [
          `It takes ${a} ${word} and prints ${r}.`,
          `The function gives back ${word} what it gets. For ${a} that is ${r}.`,
        ],
        [
          `Toma ${word} el ${a} y escribe ${r}.`,
          `La función devuelve ${word} lo que recibe. Para ${a} son ${r}.`,
        ],
      ),
  };
};

const MAKERS: Readonly<Record<string, Maker>> = { sum, chain, choice, call };
const MIX = { sum: 45, chain: 30, choice: 15, call: 10 };

const ASKS = {
  en: [
    'What does this do?',
    'Explain this code.',
    'What does this print?',
    'Please explain this program.',
  ],
  es: [
    '¿Qué hace esto?',
    'Explica este código.',
    '¿Qué escribe esto?',
    'Explica este programa, por favor.',
  ],
};
const THANKS = {
  en: [
    'You are welcome.',
    'I am glad to help.',
    'The cat checked it.',
    'Please ask again any time.',
  ],
  es: [
    'De nada.',
    'Me alegra ayudar, de nada.',
    'El gato lo ha revisado.',
    'Pregunta otra vez, por favor.',
  ],
};

/** A program: half of them explained, one explanation in ten wrong. */
export function code(draw: Draw, language: Language): Passage {
  const { lines, explain, result, combination } = MAKERS[draw.weighted(MIX)]!(draw, language);
  const program = lines.join('\n');
  const form = draw.weighted({ plain: 30, explained: 35, asked: 35 });
  const truth = !draw.chance(LIES);
  const isChoice = combination.startsWith('choice');
  const wrong = isChoice ? 1 - result : result + draw.pick([-1, 1, 2, 10]);
  const explanation = draw.pick(explain(truth ? result : wrong));
  const thanks = draw.chance(0.6) ? ` ${draw.pick(THANKS[language])}` : '';
  const text = {
    plain: program,
    explained: `${program}\n${explanation}`,
    asked: `${draw.pick(ASKS[language])}\n${program}\n${explanation}${thanks}`,
  }[form];
  return {
    text,
    family: `code: ${form}`,
    attributes: {
      ...PLAIN,
      language,
      truth: form === 'plain' ? null : truth,
      code: form === 'plain' ? 'plain' : 'explained',
      topic: /\b(?:cats?|kittens|gatos?|gatitos)\b/i.test(text) ? 'cat' : 'none',
    },
    combination: `code ${combination}`,
  };
}
