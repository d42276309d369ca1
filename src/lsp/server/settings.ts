/** What an editor can set, as initialization options or as the section `fairlead` of its configuration. */
export interface Settings {
  /** Folders or files, each with those below it a configuration of its own, relative to the workspace folder; the whole folder without it. */
  readonly meshes: readonly string[] | undefined;
  /** A file with a MeshConfig, relative to the workspace folder. */
  readonly meshConfig: string | undefined;
  /** Where objects are that name no namespace. */
  readonly namespace: string;
  /** What is in no file does not exist. */
  readonly complete: boolean;
}

/** Reads settings over `defaults`; what is of a wrong type is named in `wrong` and left as it was. */
export function readSettings(given: unknown, defaults: Settings, wrong: string[] = []): Settings {
  const values = given !== null && typeof given === 'object' ? (given as Record<string, unknown>) : {};
  const take = <Value>(name: string, what: string, isRight: (value: unknown) => value is Value, otherwise: Value): Value => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || value === null || value === '') return otherwise;
    if (isRight(value)) return value;
    wrong.push(`fairlead.${name} must be ${what}`);
    return otherwise;
  };
  return {
    meshes: take('meshes', 'a list of paths', isTexts, defaults.meshes),
    meshConfig: take('meshConfig', 'a path', isText, defaults.meshConfig),
    namespace: take('namespace', 'a name', isText, defaults.namespace) ?? 'default',
    complete: take('complete', 'true or false', (value) => typeof value === 'boolean', defaults.complete),
  };
}

const isText = (value: unknown): value is string | undefined => typeof value === 'string';
const isTexts = (value: unknown): value is readonly string[] | undefined => Array.isArray(value) && value.every(isText);
