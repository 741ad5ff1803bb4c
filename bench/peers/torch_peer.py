"""PyTorch for the benches, on the CPU or a GPU: one JSON request per line of stdin, one JSON answer per line of stdout.

{"threads": n, "device": "cpu" or "cuda", "precision": "f32" or "f16"} -> {"version": text}
{"prepare": id, "work": {}}  -> {}
{"run": id}                  -> {}
{"time": id, "ms": n}        -> {"samples": [milliseconds]}
{"outputs": id}              -> {"outputs": [base64 of float32]}
{"free": id}                 -> {}
{"cpu": true}                -> {"cpu": milliseconds of processors so far}
A request that fails is answered {"error": text}.
"""

import base64
import ctypes
import json
import sys
import time

import torch
import torch.nn.functional as F

import torch_detector
import torch_loss


# where tensors are, and what they hold
PLACE = {"device": "cpu", "dtype": torch.float32}


def settle(threads, device, precision):
    """Chooses where to compute and how; gives the version, and the name of a GPU."""
    torch.set_num_threads(threads)
    PLACE.update(device=device, dtype={"f32": torch.float32, "f16": torch.float16}[precision])
    if device == "cpu":
        return torch.__version__
    # single precision means that of operands too: tf32 rounds them to 11 bits
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    # the fastest algorithm per shape, looked for in the first run
    torch.backends.cudnn.benchmark = True
    return f"{torch.__version__} on {torch.cuda.get_device_name()}"


def wait():
    """Returns when everything that was asked for is computed."""
    if PLACE["device"] == "cuda":
        torch.cuda.synchronize()


def tensor(values):
    """The tensor of {"shape": [], "data": base64 of float32}."""
    data = torch.frombuffer(bytearray(base64.b64decode(values["data"])), dtype=torch.float32)
    return data.reshape(values["shape"]).to(**PLACE, copy=True)


def encoded(x):
    # straight from memory, so that numpy is not needed
    data = x.detach().to("cpu", torch.float32).contiguous()
    return base64.b64encode(ctypes.string_at(data.data_ptr(), 4 * data.numel())).decode()


def matmul(work):
    a, b = tensor(work["a"]), tensor(work["b"])

    def run():
        y = a
        for _ in range(work["times"]):
            y = y @ b
        return [y]

    return run


def chain(work):
    x = tensor(work["x"])

    def run():
        y = x
        for _ in range(work["times"]):
            y = torch.sigmoid(x * y + work["shift"])
        return [y]

    return run


def conv(work):
    layer, border = work["layer"], work["border"]
    x, weight, ct = (tensor(work[name]) for name in ("x", "weight", "ct"))
    options = dict(stride=layer["stride"], padding=border)
    if work["pass"] == "forward":
        return lambda: [F.conv2d(x, weight, **options)]
    if work["pass"] == "input gradient":
        return lambda: [torch.nn.grad.conv2d_input(x.shape, weight, ct, **options)]
    return lambda: [torch.nn.grad.conv2d_weight(x, weight.shape, ct, **options)]


def cnn(work):
    images, labels = tensor(work["images"]), torch.tensor(work["labels"], device=PLACE["device"])
    params = [tensor(p).requires_grad_() for p in [*work["filters"], *work["linear"]]]
    optimizer = torch.optim.SGD(params, lr=work["rate"])

    def step():
        with torch.enable_grad():
            x = images
            for weight in params[:-2]:
                x = F.relu(F.conv2d(x, weight, padding=1))
            loss = F.cross_entropy(F.linear(x.mean((2, 3)), *params[-2:]), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return [loss, *params]

    return step


def net(work):
    image = tensor(work["image"])
    weights = [
        (tensor(layer["weight"]), tensor(layer["bias"])) if layer["op"] == "conv" else None
        for layer in work["layers"]
    ]

    def forward():
        results = [image]
        for layer, weight in zip(work["layers"], weights):
            x = results[layer["from"]]
            if layer["op"] == "maxPool":
                y = F.max_pool2d(x, 3, stride=2, padding=1)
            elif layer["op"] == "addRelu":
                y = F.relu(x + results[layer["other"]])
            else:
                y = F.conv2d(x, *weight, stride=layer["stride"], padding=weight[0].shape[2] // 2)
                y = F.relu(y) if layer["relu"] else y
            results.append(y)
        return [results[-1].mean((2, 3))]

    return forward


KINDS = {
    "matmul": matmul,
    "chain": chain,
    "conv": conv,
    "cnn": cnn,
    "net": net,
    "loss": lambda work: torch_loss.loss(work, tensor),
    "detector": lambda work: torch_detector.detector(work, tensor),
}


def timed(run, milliseconds):
    samples = []
    end = time.perf_counter() + milliseconds / 1e3
    while not samples or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        wait()
        samples.append((time.perf_counter() - start) * 1e3)
    return samples


def answer(request, jobs, results):
    if "threads" in request:
        return {"version": settle(**request)}
    if "prepare" in request:
        work = request["work"]
        jobs[request["prepare"]] = KINDS[work["kind"]](work)
    elif "run" in request:
        results[request["run"]] = jobs[request["run"]]()
        wait()
    elif "time" in request:
        return {"samples": timed(jobs[request["time"]], request["ms"])}
    elif "outputs" in request:
        return {"outputs": [encoded(x) for x in results[request["outputs"]]]}
    elif "cpu" in request:
        return {"cpu": time.process_time() * 1e3}
    elif "free" in request:
        jobs.pop(request["free"], None)
        results.pop(request["free"], None)
        if PLACE["device"] == "cuda":
            # what PyTorch would keep for later, other libraries may need
            torch.cuda.empty_cache()
    return {}


def main():
    jobs, results = {}, {}
    torch.set_grad_enabled(False)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), jobs, results)
        except Exception as error:  # the comparison goes on without this task
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
