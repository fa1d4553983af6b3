/** TensorFlow.js with the backends that it registers itself. */
import '@tensorflow/tfjs-backend-webgpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import wasmPlain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import '@tensorflow/tfjs-backend-webgl';
import { openStock } from '../contenders/stock';
import { offer } from './frames';

offer((backend) => {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': wasmPlain,
    'tfjs-backend-wasm-simd.wasm': wasmSimd,
    // Threads need cross-origin isolation, which this page has not; tfjs wants all three named.
    'tfjs-backend-wasm-threaded-simd.wasm': wasmSimd,
  });
  return openStock(backend);
});
