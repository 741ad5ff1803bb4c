// Which event and image of WiderFace a path belongs to.
import { DatasetError } from '../../errors.ts';

/**
 * A file name without the ending of a picture or text.
 */
export const withoutEnding = (name: string): string => name.replace(/\.(jpe?g|png|txt)$/i, '');

/**
 * Event and name of the image at a path: the last folder, and the file name without its ending.
 *
 * Throws   DatasetError when the path has no folder
 */
export const placeOf = (label: string, file: string): { readonly event: string; readonly name: string } => {
  const parts = file.split(/[\\/]/).filter((part) => part !== '');
  const [event, name] = [parts.at(-2), parts.at(-1)];
  if (event !== undefined && name !== undefined) return { event, name: withoutEnding(name) };
  throw new DatasetError(
    `${label}(${file}): needs a path whose last folder is the event, got none. Name the folder too.`,
    { file },
  );
};
