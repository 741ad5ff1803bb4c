// The classes of the generated checkpoints.

/** As many as COCO has. */
export const fileClasses: readonly string[] = Array.from({ length: 80 }, (_, i) => `class ${i + 1}`);
