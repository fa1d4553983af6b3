/** TensorFlow.js's WebGL backend, loaded when it is needed: nobody with WebGPU downloads it. */
import * as tf from '@tensorflow/tfjs-core';
import { PlaygroundError } from '../core/errors';
import { reportFailure } from './failure';

/** What we use of tfjs 4.22's MathBackendWebGL. */
interface WebGLBackend {
  // The types of workers leave the canvas out.
  gpgpu: { gl: WebGL2RenderingContext & { canvas: EventTarget } };
}

/** Beyond this, textures are freed instead of pooled: sequence lengths make many sizes. Bytes. */
const POOLED_BYTES = 512 * 2 ** 20;

/**
 * Makes WebGL the backend.
 * @param onLost told when the browser takes the context away
 * @returns the graphics card as the browser tells it
 * @throws Error in plain words when it cannot be used for training
 */
export async function openWebgl(onLost: (error: PlaygroundError) => void): Promise<string> {
  const { MathBackendWebGL } = await import('@tensorflow/tfjs-backend-webgl');
  if (!tf.findBackendFactory('webgl')) {
    tf.registerBackend('webgl', () => new MathBackendWebGL());
  }
  // Numbers of 16 bits lose what a small learning rate adds.
  if (
    tf.env().getNumber('WEBGL_VERSION') !== 2 ||
    !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
  ) {
    throw new Error('WebGL computes with 16-bit numbers only, or is missing');
  }
  tf.env().set('WEBGL_DELETE_TEXTURE_THRESHOLD', POOLED_BYTES);
  if (!(await tf.setBackend('webgl'))) throw new Error('WebGL could not be started');
  const { gl } = (tf.backend() as unknown as WebGLBackend).gpgpu;
  // tfjs keeps one context for all times that it is opened.
  if (watched !== gl.canvas) watch(gl.canvas, onLost);
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
  return `WebGL on ${String(renderer)}`;
}

/** Frees the WebGL context; it can be opened again. */
export function closeWebgl(): void {
  if (tf.findBackendFactory('webgl')) tf.removeBackend('webgl');
}

let watched: EventTarget | null = null;

function watch(canvas: EventTarget, onLost: (error: PlaygroundError) => void): void {
  watched = canvas;
  canvas.addEventListener('webglcontextlost', () => {
    watched = null; // tfjs makes another context for the next time
    if (tf.getBackend() !== 'webgl') return;
    const error = new PlaygroundError({
      code: 'device-lost',
      message: 'The browser took the WebGL context away.',
      remedy: 'Reload the page; training resumes from its last checkpoint.',
    });
    reportFailure(error);
    onLost(error);
  });
}
