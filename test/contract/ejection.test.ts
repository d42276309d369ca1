import { contractArea } from './area.ts';

contractArea('ejection');
