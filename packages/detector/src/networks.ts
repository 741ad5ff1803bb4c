// The networks of the paper's results as configurations: ResNet and ResNeXt with a feature pyramid and the AutoAssign head.
import type { DetectorConfig } from './config.ts';
import { resnet50Config } from './config.ts';

/**
 * ResNet-101, else as `resnet50Config`: 55 418 586 parameters with 80 classes.
 *
 * Source   AutoAssign (2020); no configuration of it was published, the published head does not depend on the backbone
 */
export const resnet101Config = (classes: readonly string[]): DetectorConfig => {
  const config = resnet50Config(classes);
  return { ...config, backbone: { ...config.backbone, depths: [3, 4, 23, 3] } };
};

/**
 * ResNeXt-101 of 64 groups, each of 4 channels in the first stage. Its published weights carry the stride in the 3x3 convolutions and
 * expect RGB images of unit variance.
 *
 * Source   AutoAssign (2020) for the use of it; Xie et al., Aggregated Residual Transformations (2017)
 */
export const resnext101Config = (classes: readonly string[]): DetectorConfig => {
  const config = resnet101Config(classes);
  return {
    ...config,
    input: { ...config.input, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], order: 'rgb' },
    backbone: {
      ...config.backbone,
      style: 'pytorch',
      cardinality: { groups: 64, widthPerGroup: 4 },
    },
  };
};

/**
 * `resnext101Config` with modulated deformable convolutions in its last three stages, the network of the paper's best results.
 *
 * Source   AutoAssign (2020) for the use of it; Zhu et al., Deformable ConvNets v2 (2019)
 */
export const deformableResnext101Config = (classes: readonly string[]): DetectorConfig => {
  const config = resnext101Config(classes);
  return { ...config, backbone: { ...config.backbone, deformable: [false, true, true, true] } };
};
