"""The detector AutoAssign in PyTorch for torch_peer.py: ResNet, feature pyramid and head by configuration, and its training step."""

import torch
import torch.nn.functional as F

from torch_loss import Objects, autoassign_loss


class Network:
    """The network as functions of its parameters, which stand under the names of published checkpoints."""

    def __init__(self, config, params, strides):
        self.config, self.params, self.strides = config, params, strides

    def conv(self, name, x, **options):
        return F.conv2d(x, self.params[f"{name}.weight"], self.params.get(f"{name}.bias"), **options)

    def group_norm(self, name, x, groups):
        return F.group_norm(x, groups, self.params[f"{name}.weight"], self.params[f"{name}.bias"])

    def norm(self, name, x):
        kind = self.config["backbone"]["norm"]
        if kind["kind"] == "group":
            return self.group_norm(name, x, x.shape[1] // kind["channelsPerGroup"])
        parts = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.params[f"{name}.{part}"] for part in parts))

    def stem(self, x):
        stem = self.config["backbone"]["stem"]
        if stem["kind"] == "pooled":
            x = self.norm("backbone.bn1", self.conv("backbone.conv1", x, stride=2, padding=3))
            return F.max_pool2d(F.relu_(x), 3, stride=2, padding=1)
        for i in range(len(stem["widths"])):
            name = f"backbone.stem.{i}"
            x = F.relu_(self.norm(f"{name}.norm", self.conv(f"{name}.conv", x, stride=2, padding=1)))
        return x

    def block(self, name, x, stride):
        is_basic = self.config["backbone"]["block"] == "basic"
        letters = "bn" if self.config["backbone"]["norm"]["kind"] == "frozenBatch" else "gn"
        kernels = (3, 3) if is_basic else (1, 3, 1)
        y = x
        for i, kernel in enumerate(kernels, 1):
            step = stride if i == 1 else 1  # "caffe style": the first convolution carries the stride
            y = self.conv(f"{name}.conv{i}", y, stride=step, padding=kernel // 2)
            y = self.norm(f"{name}.{letters}{i}", y)
            y = F.relu_(y) if i < len(kernels) else y
        if f"{name}.downsample.0.weight" in self.params:
            x = self.norm(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride=stride))
        return F.relu_(y + x)

    def backbone(self, x):
        config = self.config["backbone"]
        x = self.stem(x)
        stages = []
        for stage, (depth, stride) in enumerate(zip(config["depths"], config["strides"]), 1):
            for i in range(depth):
                x = self.block(f"backbone.layer{stage}.{i}", x, stride if i == 0 else 1)
            stages.append(x)
        return stages

    def neck(self, features):
        config = self.config["neck"]
        merged = [
            self.conv(f"neck.lateral_convs.{i}.conv", x) for i, x in enumerate(features)
        ]
        for i in range(len(merged) - 2, -1, -1):
            merged[i] = merged[i] + F.interpolate(merged[i + 1], size=merged[i].shape[2:], mode="nearest")
        levels = [self.conv(f"neck.fpn_convs.{i}.conv", x, padding=1) for i, x in enumerate(merged)]
        for i in range(len(levels), len(levels) + config["extraLevels"]):
            source = features[-1] if i == len(features) else F.relu(levels[-1])
            levels.append(self.conv(f"neck.fpn_convs.{i}.conv", source, stride=2, padding=1))
        return levels

    def tower(self, name, x):
        for i in range(self.config["head"]["convs"]):
            x = self.conv(f"bbox_head.{name}.{i}.conv", x, padding=1)
            x = F.relu_(self.group_norm(f"bbox_head.{name}.{i}.gn", x, self.config["head"]["groups"]))
        return x

    def head(self, level, x):
        classes, boxes = self.tower("cls_convs", x), self.tower("reg_convs", x)
        reach = self.conv("bbox_head.conv_reg", boxes, padding=1)
        scale = self.params[f"bbox_head.scales.{level}.scale"]
        maps = (
            self.conv("bbox_head.conv_cls", classes, padding=1),
            self.conv("bbox_head.conv_centerness", boxes, padding=1),
            (reach * scale).clamp(min=0) * self.strides[level],
        )
        return [y.flatten(2).transpose(1, 2) for y in maps]

    def __call__(self, images):
        """Logits [N,R,K], objectness [N,R] and distances [N,R,4]."""
        features = self.backbone(images)[-self.config["neck"]["stages"] :]
        levels = [self.head(i, x) for i, x in enumerate(self.neck(features))]
        logits, objectness, distances = (torch.cat(part, 1) for part in zip(*levels))
        return logits, objectness.squeeze(2), distances


def optimizer_of(work, params):
    """The optimiser of the work in the state that the work describes."""
    given = work["optimizer"]
    groups = [
        {
            "params": [params[path] for path in group["paths"]],
            "weight_decay": group["weightDecay"],
            "lr": given["rate"] * group["rateScale"],
        }
        for group in given["groups"]
    ]
    if given["kind"] == "sgd":
        return torch.optim.SGD(groups, lr=given["rate"], momentum=given["momentum"])
    optimizer = torch.optim.AdamW(groups, lr=given["rate"])
    for group in groups:
        for p in group["params"]:
            optimizer.state[p] = {
                "step": torch.tensor(float(given["steps"])),
                "exp_avg": torch.zeros_like(p),
                "exp_avg_sq": torch.full_like(p, given["meanSquare"]),
            }
    return optimizer


def detector(work, tensor):
    """A function that runs the forward pass, or a training step: the loss, its terms, the gradients' norm, the parameters."""
    params = {path: tensor(values) for path, values in work["params"].items()}
    grid = tensor(work["locations"]), tensor(work["strides"])
    images, objects = tensor(work["images"]), Objects(work["objects"], tensor)
    strides = grid[1].unique_consecutive().tolist()
    network = Network(work["config"], params, strides)
    if work["pass"] == "forward":
        return lambda: network(images)

    trained = [params[path] for group in work["optimizer"]["groups"] for path in group["paths"]]
    for p in trained:
        p.requires_grad_()
    optimizer = optimizer_of(work, params)
    prior = [params[f"bbox_head.center_prior.{part}"] for part in ("mean", "sigma")]

    def step():
        with torch.enable_grad():
            terms = autoassign_loss(network(images), prior, grid, objects)
            optimizer.zero_grad(set_to_none=True)
            terms[0].backward()
        norm = torch.stack([p.grad.norm() for p in trained]).norm()
        # as ours: a step that is not finite changes nothing; asked once, since a GPU has to come to a stop for the answer
        if torch.isfinite(terms[0] + norm):
            optimizer.step()
        return [*terms, norm, *trained]

    return step
