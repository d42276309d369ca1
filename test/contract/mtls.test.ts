import { contractArea } from './area.ts';

contractArea('mtls');
