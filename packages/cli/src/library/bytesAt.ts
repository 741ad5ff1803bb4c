// The bytes behind a path or an address.
import { DatasetError, sourceOfFolder } from '@autoassign/datasets';

/** Whether names without a scheme are paths of files. */
const hasFiles = typeof process === 'object' && process.versions?.node !== undefined;

/** The path in a `file:` address; on Windows it begins with a letter instead of a slash. */
function pathOf({ pathname }: URL): string {
  return decodeURIComponent(pathname).replace(/^\/(?=[A-Za-z]:)/, '');
}

async function fetched(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function readFile(path: string): Promise<Uint8Array> {
  const [, folder = '', name = ''] = /^(.*[\\/])?([^\\/]*)$/su.exec(path) ?? [];
  return sourceOfFolder(folder === '' ? '.' : folder, { followLinks: true }).read(name);
}

/**
 * The bytes of the file at a path (Node) or address; `label` is the function that messages name.
 *
 * Throws   DatasetError naming it when it cannot be read
 */
export async function bytesAt(location: string | URL, label: string): Promise<Uint8Array> {
  const text = String(location);
  const isAddress = /^(https?|data|blob):/i.test(text);
  try {
    if (!hasFiles || isAddress) return await fetched(text);
    return await readFile(/^file:/i.test(text) ? pathOf(new URL(text)) : text);
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new DatasetError(
      `${label}(${text}): needs a file that can be read, got "${got}". Check the path and its permissions.`,
      { file: text, cause },
    );
  }
}
