// How much two boxes of the columns have in common.
import type { DetectionColumns, ObjectColumns } from './columns.ts';

/**
 * IoU of a detection and an object; for a crowd region, the part of the detection that lies in it.
 *
 * Source   COCO detection evaluation, in its order of operations
 */
export const overlapOf = (
  detections: DetectionColumns,
  d: number,
  objects: ObjectColumns,
  o: number,
): number => {
  const shared = sharedLength(detections.x[d]!, detections.width[d]!, objects.x[o]!, objects.width[o]!);
  if (shared <= 0) return 0;
  const sharedY = sharedLength(detections.y[d]!, detections.height[d]!, objects.y[o]!, objects.height[o]!);
  if (sharedY <= 0) return 0;
  const common = shared * sharedY;
  const own = detections.width[d]! * detections.height[d]!;
  return common / (objects.crowd[o] ? own : own + objects.width[o]! * objects.height[o]! - common);
};

const sharedLength = (start: number, length: number, otherStart: number, otherLength: number): number =>
  Math.min(length + start, otherLength + otherStart) - Math.max(start, otherStart);
