import type { Channel, ChannelListener } from 'node:diagnostics_channel';

/**
 * Has undici send a request whose path does not begin with a slash, as a rewrite may make it: undici refuses such a path where it is
 * given, and takes it from the request that it made, which it tells of before anything else.
 *
 * @param options what undici is asked to send, with the path as it is to go out
 * @param dispatch asks undici; it makes the request at once
 */
export function sendOddPath<T extends { readonly path: string }>(options: T, dispatch: (options: T) => void): void {
  const channel: Channel = process.getBuiltinModule('node:diagnostics_channel').channel('undici:request:create');
  const made: ChannelListener = (message) => {
    (message as { request: { path: string } }).request.path = options.path;
  };
  channel.subscribe(made);
  try {
    dispatch(Object.create(options, { path: { value: `/${options.path}` } }) as T);
  } finally {
    channel.unsubscribe(made);
  }
}
