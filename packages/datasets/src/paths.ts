// Paths inside a folder of files, with forward slashes: joining, splitting, and refusing what would lead out of the folder.

/**
 * The path of `name` in `folder` ('' for the folder itself); names written on Windows may have backslashes.
 *
 * Example  joinPath('VOC2007/JPEGImages', '000005.jpg')
 */
export const joinPath = (folder: string, name: string): string => {
  const path = name.replaceAll('\\', '/');
  return folder === '' ? path : `${folder}/${path}`;
};

/**
 * The folder of a path ('' when it has none) and the name in it.
 *
 * Example  splitPath('0--Parade/a.jpg') // ['0--Parade', 'a.jpg']
 */
export const splitPath = (path: string): [folder: string, name: string] => {
  const slash = path.lastIndexOf('/');
  return [slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1)];
};

/**
 * The path without the extension of its last name.
 *
 * Example  withoutExtension('a.b/c.jpg') // 'a.b/c'
 */
export const withoutExtension = (path: string): string => path.replace(/(?<=[^/])\.[^./]*$/, '');

/**
 * True when a name read from a file stays in the folder it is looked up in: relative, without `..`, drive or address.
 *
 * Example  staysInside('../secret.jpg') // false
 */
export const staysInside = (name: string): boolean =>
  name !== '' &&
  !/^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(name) &&
  !name.split(/[/\\]/).includes('..') &&
  !name.includes('\0');
