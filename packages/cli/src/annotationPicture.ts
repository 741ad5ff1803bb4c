// The objects of an image drawn into it: solid boxes for those that training uses, dashed ones for all others, with the reason.
import type { Annotation } from '@autoassign/datasets';
import { isTrainable } from '@autoassign/datasets';
import { classColour } from './colours.ts';
import { dashedBox, scaledBox, solidBox } from './detectionPicture.ts';
import { drawText } from './glyphs.ts';
import type { Label } from './labels.ts';
import { drawLabels } from './labels.ts';
import type { Picture, RasterImage } from './pictures.ts';
import { collage, displayScale, drawnImage, faintInkColour } from './pictures.ts';

/** An image and the objects to draw; `classNames[label]` is the name of a class. */
export interface AnnotationScene {
  readonly image: RasterImage;
  readonly annotations: readonly Annotation[];
  readonly classNames: readonly string[];
  /** A line under the picture, such as the file's name. */
  readonly caption: string;
}

const captionHeight = 22;
const boxLine = 2;

/** The name of an object's class, with what keeps it out of training. */
function nameOf(annotation: Annotation, classNames: readonly string[]): string {
  const { label, isCrowd, isIgnored, isDifficult } = annotation;
  const marks = [
    ...(isCrowd ? ['crowd'] : []),
    ...(isIgnored ? ['ignored'] : []),
    ...(isDifficult ? ['difficult'] : []),
  ];
  const name = classNames[label] ?? `class ${label}`;
  return marks.length === 0 ? name : `${name} (${marks.join(', ')})`;
}

/**
 * The picture of one image with its objects; small boxes lie above large ones.
 *
 * Units    `target` is the length in screen pixels that the longer side of the image is brought near to
 */
export function annotationPicture(scene: AnnotationScene, { target }: { readonly target: number }): Picture {
  const { image, classNames, caption } = scene;
  const scale = displayScale(image, target);
  const largestFirst = [...scene.annotations].sort((a, b) => b.area - a.area);
  const boxes = largestFirst.flatMap((annotation) => {
    const box = scaledBox(annotation.box, scale);
    const colour = classColour(annotation.label);
    return isTrainable(annotation) ? solidBox(box, colour) : dashedBox(box, colour, boxLine);
  });
  const labels = largestFirst.map(
    (annotation): Label => ({
      text: nameOf(annotation, classNames),
      colour: classColour(annotation.label),
      box: scaledBox(annotation.box, scale),
    }),
  );
  const size = { width: image.width * scale, height: image.height * scale };
  const drawn = drawnImage(image, scale, [...boxes, ...drawLabels(labels, size)]);
  const line = drawText(caption, 1, drawn.height + captionHeight - 8, { size: 8, colour: faintInkColour });
  return collage(drawn.width, drawn.height + captionHeight, [{ picture: drawn, at: [0, 0] }], [line]);
}
