import { openNanoGpt } from '../peers/nanogpt';
import { offer } from './frames';

const FOLDER = '/bench/peers/node_modules/@genai-fi/nanogpt/';

offer(() => openNanoGpt((file) => import(/* @vite-ignore */ `${FOLDER}${file}`)));
