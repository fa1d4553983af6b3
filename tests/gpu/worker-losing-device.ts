/** The training worker, and a way to take its GPU device away from outside. */
import '../../src/worker/train.worker';

const lose = new BroadcastChannel('lose-device');
const { prototype } = GPUAdapter;
const requestDevice = Reflect.get(prototype, 'requestDevice');

prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
  const device = await requestDevice.call(this, descriptor);
  lose.onmessage = () => device.destroy();
  return device;
};
