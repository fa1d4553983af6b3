import type { BackendName } from '../../src/engine/backend';
import { openOurs } from '../contenders/ours';
import { offer } from './frames';

offer((backend) => openOurs(backend as BackendName));
