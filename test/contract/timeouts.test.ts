import { contractArea } from './area.ts';

contractArea('timeouts');
