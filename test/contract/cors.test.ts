import { contractArea } from './area.ts';

contractArea('cors');
