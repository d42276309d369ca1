import { contractArea } from './area.ts';

contractArea('rewrite');
