// The one fact that is needed from EXIF data: how a picture must be turned to stand upright.

/**
 * The orientation, 1 to 8, that EXIF data asks for; 1, upright, where it asks for none or is damaged.
 *
 * Source   EXIF 2.32, tag 0x0112 in the first directory of a TIFF structure
 * Example  orientationOf(bytes.subarray(at + 4, end))
 */
export const orientationOf = (exif: Uint8Array): number => {
  // JPEG files begin it with a name, and so do some writers of the other formats.
  const isNamed = String.fromCharCode(...exif.subarray(0, 6)) === 'Exif\0\0';
  const tiff = isNamed ? exif.subarray(6) : exif;
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = view.getUint16(0);
  const isLittle = order === 0x4949;
  if (!isLittle && order !== 0x4d4d) return 1;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return 1;
  const count = view.getUint16(directory, isLittle);
  for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, isLittle) !== 0x0112) continue;
    const orientation = view.getUint16(entry + 8, isLittle);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
};
