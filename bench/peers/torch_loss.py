"""The loss of AutoAssign in PyTorch, dense over locations and objects, for torch_peer.py and torch_detector.py."""

import torch
import torch.nn.functional as F

SMALLEST = 1e-12
SMALLEST_AREA = 1e-6


class Objects:
    """Boxes [N,M,4], labels [N,M] and whether they are there [N,M], from the JSON of the request."""

    def __init__(self, work, tensor):
        self.boxes = tensor(work["boxes"])
        self.labels = torch.tensor(work["labels"], device=self.boxes.device)
        self.valid = torch.tensor(work["valid"], device=self.boxes.device).bool()


def overlaps(boxes, objects):
    """IoU and generalised IoU of boxes [N,R,4] with objects [N,M,4], [N,R,M] each."""
    ax1, ay1, ax2, ay2 = boxes[:, :, None].unbind(-1)
    bx1, by1, bx2, by2 = objects[:, None].unbind(-1)
    width = torch.minimum(ax2, bx2) - torch.maximum(ax1, bx1)
    height = torch.minimum(ay2, by2) - torch.maximum(ay1, by1)
    intersection = width.clamp(min=0) * height.clamp(min=0)
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection
    union = union.clamp(min=SMALLEST_AREA)
    width = torch.maximum(ax2, bx2) - torch.minimum(ax1, bx1)
    height = torch.maximum(ay2, by2) - torch.minimum(ay1, by1)
    enclosing = (width.clamp(min=0) * height.clamp(min=0)).clamp(min=SMALLEST_AREA)
    iou = intersection / union
    return iou, iou - (enclosing - union) / enclosing


def center_prior(points, strides, objects, mean, sigma):
    """The Gaussian of every location for every object [N,R,M], not cut at the object's sides."""
    boxes, labels = objects.boxes, objects.labels
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (points[None, :, None] - centers[:, None]) / strides[None, :, None, None]
    z = distance - mean[labels][:, None]
    return torch.exp(-(z**2 / (2 * sigma[labels][:, None] ** 2)).sum(-1))


@torch.no_grad()
def negative_weights(iou, inside, objects, classes):
    """The weight of every location as a negative of every class [N,R,K]; of objects of one class the last decides."""
    best = torch.where(objects.valid[:, None], iou, 0.0).amax(2, keepdim=True)
    quality = 1 / (1 - best).clamp(min=SMALLEST)
    lowest = torch.where(inside, quality, 1e30).amin(1, keepdim=True)
    highest = torch.where(inside, quality, 0.0).amax(1, keepdim=True)
    foreground = (quality - lowest + SMALLEST) / (highest - lowest + SMALLEST)
    labels = objects.labels
    later = (labels[:, :, None] == labels[:, None, :]).float().tril(-1)  # [N, later, earlier]
    decides = inside & (inside.float() @ later == 0)
    share = torch.where(decides, foreground, 0.0)
    weights = torch.ones(*share.shape[:2], classes, device=share.device)
    return weights.scatter_add_(2, labels[:, None].expand_as(share), -share)


def autoassign_loss(predictions, prior, grid, objects):
    """The loss and its terms: positive, negative, center."""
    logits, objectness, distances = predictions
    points, strides = grid
    x, y = (points[:, axis, None] for axis in (0, 1))
    x1, y1, x2, y2 = objects.boxes[:, None].unbind(-1)
    sides = torch.stack([x - x1, y - y1, x2 - x, y2 - y])
    inside = (sides.amin(0) > 0) & objects.valid[:, None]
    pi = torch.where(inside, center_prior(points, strides, objects, *prior), 0.0)

    boxes = torch.cat([points - distances[..., :2], points + distances[..., 2:]], -1)
    iou, giou = overlaps(boxes, objects.boxes)
    joint = logits.sigmoid() * objectness.sigmoid()[..., None]
    of_class = joint.gather(2, objects.labels[:, None].expand(-1, joint.shape[1], -1))
    p = of_class * torch.exp(-5 * (1 - giou))

    weighted = torch.exp(3 * p) * pi
    weighted = weighted / weighted.sum(1, keepdim=True).clamp(min=SMALLEST)
    confidence = (weighted * p).sum(1)  # [N,M]
    reachable = inside.any(1)
    confidence = torch.where(reachable, confidence, objects.valid.logical_not().float())
    positive = F.binary_cross_entropy(confidence, torch.ones_like(confidence), reduction="sum")
    positive = 0.25 * positive / objects.valid.sum().clamp(min=1)

    negatives = joint * negative_weights(iou.detach(), inside, objects, logits.shape[2])
    entropy = F.binary_cross_entropy(negatives, torch.zeros_like(negatives), reduction="none")
    mass = pi.sum((1, 2))
    negative = 0.75 * (negatives**2 * entropy).sum() / mass.detach().sum().clamp(min=1)

    has_any = reachable.any(1)
    mass = torch.where(has_any, mass, 1.0).clamp(min=SMALLEST)
    center = 0.75 * torch.where(has_any, objects.valid.sum(1) / mass, 0.0).mean()
    return positive + negative + center, positive, negative, center


def loss(work, tensor):
    """A function that gives the loss and its terms, and with the backward pass the gradients of all inputs."""
    names = ("logits", "objectness", "distances", "mean", "sigma")
    inputs = [tensor(work[name]) for name in names]
    grid = tensor(work["locations"]), tensor(work["strides"])
    objects = Objects(work["objects"], tensor)

    def forward():
        return autoassign_loss(inputs[:3], inputs[3:], grid, objects)

    def both():
        with torch.enable_grad():
            terms = forward()
            return [*terms, *torch.autograd.grad(terms[0], inputs)]

    if work["pass"] == "forward":
        return forward
    for x in inputs:
        x.requires_grad_()
    return both
