// Names of other programs: every one of ours has one of theirs and comes back, and Megvii's are those that its files have.
import { describe, expect, it } from 'vitest';
import { resnet50Config } from '../../src/config.ts';
import { checkpointLayout } from '../../src/weights/layout.ts';
import { type NameScheme, ourNames, schemeOf, sharedPrefix, theirNames } from '../../src/weights/names.ts';

const names = checkpointLayout(resnet50Config(['a', 'b'])).map(({ name }) => name);
const schemes: readonly NameScheme[] = ['mmdetection', 'megvii', 'backbone'];
const namesOf = (scheme: NameScheme): readonly string[] =>
  names.filter((name) => scheme !== 'backbone' || name.startsWith('backbone.'));

describe.each(schemes)('%s', (scheme) => {
  it('names everything once, and every name comes back', () => {
    const theirs = namesOf(scheme).map(theirNames(scheme));
    expect(theirs).not.toContain(undefined);
    expect(new Set(theirs).size).toBe(theirs.length);
    expect(theirs.map((name) => ourNames(scheme)(name!))).toEqual(namesOf(scheme));
  });

  it('is told by its names, in whatever order', () => {
    const theirs = namesOf(scheme).map((name) => theirNames(scheme)(name)!);
    expect(schemeOf(theirs)).toBe(scheme);
    expect(schemeOf([...theirs].reverse())).toBe(scheme);
  });
});

it.each([
  ['backbone.bottom_up.stem.conv1.norm.running_var', 'backbone.bn1.running_var'],
  ['backbone.bottom_up.res2.0.conv1.weight', 'backbone.layer1.0.conv1.weight'],
  ['backbone.bottom_up.res5.2.conv3.norm.bias', 'backbone.layer4.2.bn3.bias'],
  ['backbone.bottom_up.res3.0.shortcut.weight', 'backbone.layer2.0.downsample.0.weight'],
  ['backbone.bottom_up.res3.0.shortcut.norm.weight', 'backbone.layer2.0.downsample.1.weight'],
  ['backbone.fpn_lateral5.bias', 'neck.lateral_convs.2.conv.bias'],
  ['backbone.fpn_output3.weight', 'neck.fpn_convs.0.conv.weight'],
  ['backbone.top_block.p7.weight', 'neck.fpn_convs.4.conv.weight'],
  ['head.cls_subnet.9.weight', 'bbox_head.cls_convs.3.conv.weight'],
  ['head.bbox_subnet.10.bias', 'bbox_head.reg_convs.3.gn.bias'],
  ['head.obj_score.weight', 'bbox_head.conv_centerness.weight'],
  ['head.scales.4.scale', 'bbox_head.scales.4.scale'],
  ['mu', 'bbox_head.center_prior.mean'],
])("Megvii's %s is %s", (theirs, ours) => {
  expect(ourNames('megvii')(theirs)).toBe(ours);
});

it.each([
  'backbone.fpn_output6.weight',
  'backbone.top_block.p5.weight',
  'head.cls_subnet.2.weight',
  'anchors',
])("Megvii's files have no %s", (name) => {
  expect(ourNames('megvii')(name)).toBeUndefined();
});

it('takes the prefix of data-parallel training only from files that have it everywhere', () => {
  expect(sharedPrefix(['module.a.weight', 'module.b.bias', 'steps'])).toBe('module.');
  expect(sharedPrefix(['module.a.weight', 'b.bias'])).toBe('');
  expect(sharedPrefix([])).toBe('');
  expect(schemeOf(['a.weight', 'b'])).toBeUndefined();
});
