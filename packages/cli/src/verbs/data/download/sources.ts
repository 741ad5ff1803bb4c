// Where the public datasets are given out: addresses, sizes and checksums of their archives, and the layout they unpack to.
import type { DownloadName } from '../options.ts';

/** One archive of a dataset. */
export interface Archive {
  /** What `--parts` calls it. */
  readonly part: string;
  readonly url: string;
  /** Absent where none is known: then only the size that the server announces is checked. */
  readonly md5?: string;
  /** About how large it is, in bytes, for the check of free space before the server is asked. */
  readonly bytes: number;
}

/** A dataset and its archives. */
export interface Source {
  readonly title: string;
  /** The authors' page. */
  readonly page: string;
  readonly archives: readonly Archive[];
  /** What `autoassign data` finds after unpacking. */
  readonly layout: string;
}

/** The public datasets that can be fetched, by name. */
export type Sources = Readonly<Record<DownloadName, Source>>;

const cocoServer = 'http://images.cocodataset.org';
const vocServer = 'http://host.robots.ox.ac.uk/pascal/VOC';
const widerPictures = 'https://huggingface.co/datasets/wider_face/resolve/main/data';

/**
 * The sources as their authors publish them.
 *
 * Source   VOC: the pages of the challenges; COCO: cocodataset.org; WIDER FACE: the authors' page, which links to these copies
 */
export const publishedSources: Sources = {
  coco: {
    title: 'COCO 2017',
    page: 'https://cocodataset.org/#download',
    archives: [
      {
        part: 'annotations',
        url: `${cocoServer}/annotations/annotations_trainval2017.zip`,
        md5: 'f4bbac642086de4f52a3fdda2de5fa2c',
        bytes: 253e6,
      },
      {
        part: 'val',
        url: `${cocoServer}/zips/val2017.zip`,
        md5: '442b8da7639aecaf257c1dceb8ba8c80',
        bytes: 816e6,
      },
      {
        part: 'train',
        url: `${cocoServer}/zips/train2017.zip`,
        md5: 'cced6f7f71b7629ddf16f17bbcfab6b2',
        bytes: 19.4e9,
      },
    ],
    layout:
      'annotations/instances_train2017.json and instances_val2017.json, pictures in train2017 and val2017',
  },
  voc: {
    title: 'PASCAL VOC 2007 and 2012',
    page: 'http://host.robots.ox.ac.uk/pascal/VOC/',
    archives: [
      {
        part: 'trainval2007',
        url: `${vocServer}/voc2007/VOCtrainval_06-Nov-2007.tar`,
        md5: 'c52e279531787c972589f7e41ab4ae64',
        bytes: 460e6,
      },
      {
        part: 'test2007',
        url: `${vocServer}/voc2007/VOCtest_06-Nov-2007.tar`,
        md5: 'b6e924de25625d8de591ea690078ad9f',
        bytes: 451e6,
      },
      {
        part: 'trainval2012',
        url: `${vocServer}/voc2012/VOCtrainval_11-May-2012.tar`,
        md5: '6cd6e144f989b92b3379bac3b3de84fd',
        bytes: 2.0e9,
      },
    ],
    layout: 'VOCdevkit/VOC2007 and VOCdevkit/VOC2012',
  },
  wider: {
    title: 'WIDER FACE',
    page: 'http://shuoyang1213.me/WIDERFACE/',
    archives: [
      {
        part: 'annotations',
        url: 'http://shuoyang1213.me/WIDERFACE/support/bbx_annotation/wider_face_split.zip',
        md5: '0e3767bcf0e326556d407bf5bff5d27c',
        bytes: 3.6e6,
      },
      {
        part: 'val',
        url: `${widerPictures}/WIDER_val.zip`,
        md5: 'dfa7d7e790efa35df3788964cf0bbaea',
        bytes: 363e6,
      },
      {
        part: 'train',
        url: `${widerPictures}/WIDER_train.zip`,
        md5: '3fedf70df600953d25982bcd13d91ba2',
        bytes: 1.47e9,
      },
    ],
    layout:
      'wider_face_split/wider_face_train_bbx_gt.txt and the like, pictures in WIDER_train/images and WIDER_val/images',
  },
};
