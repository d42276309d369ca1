import { contractArea } from './area.ts';

contractArea('scopes');
