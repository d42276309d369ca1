/** Route tests lie beside the configuration that they test. */
const TEST_FILE = /\.mesh-test\.ya?ml$/i;
const CONFIG_FILE = /\.(?:ya?ml|json)$/i;

/** Whether a file that is found in a folder is read as configuration, by its name. */
export function isConfigFile(name: string): boolean {
  return CONFIG_FILE.test(name) && !TEST_FILE.test(name);
}

/** Whether a file that is found in a folder has route tests in it, by its name. */
export function isTestFile(name: string): boolean {
  return TEST_FILE.test(name);
}
