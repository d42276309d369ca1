import { contractArea } from './area.ts';

contractArea('retries');
