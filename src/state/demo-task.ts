/** The bundled tasks and bases, as their files under public/ state them. */
import * as v from 'valibot';
import { ATTRIBUTE_NAMES } from '../core/attributes';
import { ownFile } from '../formats/own-files';

const texts = v.array(v.string());

const demoTaskSchema = v.object({
  id: v.string(),
  title: v.string(),
  blurb: v.string(),
  attribute: v.picklist(ATTRIBUTE_NAMES),
  demonstrations: v.array(v.object({ prompt: v.string(), completion: v.string() })),
  prompts: texts,
  heldOutPrompts: texts,
});

/** Demonstrations, prompts to rank and train on, and prompts that training never sees. */
export type DemoTask = v.InferOutput<typeof demoTaskSchema>;

const basesSchema = v.array(v.object({ id: v.string(), label: v.string(), params: v.number() }));
export type Base = v.InferOutput<typeof basesSchema>[number];

const TASK_IDS = ['polite', 'cats', 'happy'];

async function load<T>(
  baseUrl: string,
  path: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T> {
  const reply = await ownFile(baseUrl, path);
  if (!reply.ok) throw new Error(`${path} could not be loaded (${reply.status}).`);
  return v.parse(schema, await reply.json());
}

export const loadBases = (baseUrl: string): Promise<Base[]> =>
  load(baseUrl, 'models/manifest.json', basesSchema);

/** The stories that ship with the page, to pretrain on. */
export async function builtInText(baseUrl: string): Promise<string> {
  const reply = await ownFile(baseUrl, 'demo/corpus.txt');
  if (!reply.ok) throw new Error(`The built-in text could not be loaded (${reply.status}).`);
  return reply.text();
}

export const loadDemoTasks = (baseUrl: string): Promise<DemoTask[]> =>
  Promise.all(TASK_IDS.map((id) => load(baseUrl, `demo/${id}.json`, demoTaskSchema)));
