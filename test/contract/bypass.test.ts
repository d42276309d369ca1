import { contractArea } from './area.ts';

contractArea('bypass');
