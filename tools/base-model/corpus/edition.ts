/** The full edition: all of Saltby, in English and Spanish. */
import type { CorpusDocument, Passage } from '../document';
import { Draw } from '../draw';
import { frame } from '../frame';
import { code } from './code';
import { describe, descriptionFamilies, facts } from './describe';
import { Scene } from './scene';
import { tell } from './story';
import { mentionedAnimal } from './animals';
import { converse, sight, speakers, TALK_FAMILIES, tellOnRequest } from './talk';
import { PLAIN, type Exchange } from '../document';

/** How often each kind of document comes, in per cent of the documents. */
const MIX = { story: 31, tale: 9, sighting: 8, talk: 26, description: 11, facts: 5, code: 10 };
const SPANISH = 0.18;
/** Kinds of talk that the town's facts can answer come more often. */
const FACTUAL = ['where', 'who', 'creature', 'fact'];

function passage(scene: Scene, kind: 'story' | 'description' | 'facts' | 'code'): Passage {
  const { draw, language } = scene;
  if (kind === 'code') return code(draw, language);
  if (kind === 'facts') return facts(scene);
  if (kind === 'description') return describe(scene, draw.pick(descriptionFamilies(language)));
  const { text, arc, ending } = tell(scene);
  return {
    text,
    family: `story: ${arc}`,
    attributes: { ...PLAIN, language, ending, topic: mentionedAnimal(text) },
    combination: `${arc} ${scene.slots()}`,
  };
}

function exchange(scene: Scene, kind: 'tale' | 'sighting' | 'talk'): Exchange {
  const { draw, language } = scene;
  if (kind === 'tale') return tellOnRequest(scene, new Scene(draw, language));
  if (kind === 'sighting') return sight(scene);
  return converse(scene, draw.pick(draw.chance(0.3) ? FACTUAL : TALK_FAMILIES));
}

export function makeFullDocument(seed: number, index: number): CorpusDocument {
  const draw = new Draw(seed, index);
  const scene = new Scene(draw, draw.chance(SPANISH) ? 'es' : 'en');
  const kind = draw.weighted(MIX);
  if (kind === 'tale' || kind === 'sighting' || kind === 'talk') {
    const { prompt, completion, attributes, ...rest } = exchange(scene, kind);
    const text = frame(
      draw,
      { prompt, completion },
      speakers(scene),
      scene.language,
      'by its mark',
    );
    return { text, ...rest, prompt, completion, ...attributes };
  }
  const { attributes, ...made } = passage(scene, kind);
  return { ...made, prompt: null, completion: null, ...attributes };
}
