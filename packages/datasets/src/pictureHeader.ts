// What the first bytes of a picture file say: its format and size, so that nothing is decoded that is too large or of no known kind.

/** What is known of a picture before it is decoded; width and height as stored, before it is turned upright. */
export interface PictureHeader {
  readonly format: 'jpeg' | 'png' | 'webp' | 'gif';
  readonly width: number;
  readonly height: number;
  /** Whether a JPEG file holds cyan, magenta, yellow and black. */
  readonly isCmyk: boolean;
}

/**
 * The format and size of a picture, or undefined where the bytes are no JPEG, PNG, WebP or GIF file or stop before its size.
 *
 * Source   ITU-T T.81 (JPEG), PNG third edition, RFC 9649 (WebP), GIF89a
 * Example  pictureHeader(bytes) // { format: 'jpeg', width: 640, height: 480, isCmyk: false }
 */
export const pictureHeader = (bytes: Uint8Array): PictureHeader | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return jpegHeader(view) ?? pngHeader(view) ?? webpHeader(view) ?? gifHeader(view);
  } catch (error) {
    // Reading behind the end of the bytes is the one thing that can go wrong here.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};

const startOfImage = 0xffd8;

const jpegHeader = (view: DataView): PictureHeader | undefined => {
  if (view.getUint16(0) !== startOfImage) return undefined;
  for (let at = 2; ; ) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff || marker === 0xda) return undefined;
    if (isFrame(marker)) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      return { format: 'jpeg', ...size, isCmyk: view.getUint8(at + 9) === 4 };
    }
    // Fill bytes and markers without a length, then segments.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else at += 2 + view.getUint16(at + 2);
  }
};

/** Start of frame: 0xC0 to 0xCF, of which three are something else (Huffman tables, an extension, arithmetic conditioning). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

const pngHeader = (view: DataView): PictureHeader | undefined => {
  if (view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return undefined;
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20), isCmyk: false };
};

const webpHeader = (view: DataView): PictureHeader | undefined => {
  if (textAt(view, 0, 4) !== 'RIFF' || textAt(view, 8, 4) !== 'WEBP') return undefined;
  const size = webpSize(view);
  return size && { format: 'webp', ...size, isCmyk: false };
};

const webpSize = (view: DataView): Pick<PictureHeader, 'width' | 'height'> | undefined => {
  const chunk = textAt(view, 12, 4);
  if (chunk === 'VP8X') return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  if (chunk === 'VP8 ')
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (chunk !== 'VP8L') return undefined;
  const bits = view.getUint32(21, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
};

const uint24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) | (view.getUint8(at + 2) << 16);

const gifHeader = (view: DataView): PictureHeader | undefined => {
  if (!['GIF87a', 'GIF89a'].includes(textAt(view, 0, 6))) return undefined;
  const screen = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  let at = 13 + colourTableLength(view.getUint8(10));
  // Extensions: a label and blocks, each with its length, up to an empty one.
  while (view.getUint8(at) === 0x21) {
    at += 2;
    for (let length = view.getUint8(at); length > 0; length = view.getUint8(at)) at += 1 + length;
    at += 1;
  }
  if (view.getUint8(at) !== 0x2c) return undefined;
  // Decoders make room for a first frame that reaches out of its screen.
  const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
  const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
  return {
    format: 'gif',
    width: Math.max(screen.width, right),
    height: Math.max(screen.height, bottom),
    isCmyk: false,
  };
};

const colourTableLength = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

const textAt = (view: DataView, at: number, length: number): string => {
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(view.getUint8(at + i));
  return text;
};
