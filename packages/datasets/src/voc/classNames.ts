// The names of the classes that PASCAL VOC annotates.

/** The 20 classes of PASCAL VOC 2007 to 2012 in the order of the development kit. */
export const vocClasses: readonly string[] = [
  'aeroplane',
  'bicycle',
  'bird',
  'boat',
  'bottle',
  'bus',
  'car',
  'cat',
  'chair',
  'cow',
  'diningtable',
  'dog',
  'horse',
  'motorbike',
  'person',
  'pottedplant',
  'sheep',
  'sofa',
  'train',
  'tvmonitor',
];
