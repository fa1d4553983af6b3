/// <reference lib="webworker" />
/** The training worker: receives commands, answers each once, and sends events in order. */
import { PlaygroundError, toErrorDetails } from '../core/errors';
import { PROTOCOL_VERSION, type Command, type FromWorker } from './protocol';
import { createSession } from './session';

let seq = 0;
const send = (message: FromWorker): void => self.postMessage(message);
const handlers = createSession((event) => send({ type: 'event', seq: ++seq, ...event }));

async function answer(command: Command): Promise<void> {
  const { id } = command;
  try {
    if (command.version !== PROTOCOL_VERSION) {
      throw new PlaygroundError({
        code: 'engine',
        message: 'The page and its worker come from different releases.',
        remedy: 'Reload the page.',
      });
    }
    // The union pairs each name with its request; TypeScript loses that pairing on a lookup.
    const handler = handlers[command.name] as (
      request: Command['request'],
    ) => ReturnType<(typeof handlers)[Command['name']]>;
    send({ type: 'reply', id, ok: true, result: await handler(command.request) });
  } catch (thrown) {
    send({ type: 'reply', id, ok: false, error: toErrorDetails(thrown) });
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Command>) => void answer(data));
