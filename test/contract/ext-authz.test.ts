import { contractArea } from './area.ts';

contractArea('ext-authz');
