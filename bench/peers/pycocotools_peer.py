"""The COCO toolkit on the files of a folder: times in milliseconds, memory and the twelve numbers as one line of JSON.

python3 pycocotools_peer.py <folder>   (truth.json, results.json)
"""

import contextlib
import importlib.metadata
import io
import json
import resource
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

folder = sys.argv[1]
with contextlib.redirect_stdout(io.StringIO()):
    start = time.perf_counter()
    truth = COCO(f"{folder}/truth.json")
    found = truth.loadRes(f"{folder}/results.json")
    read = time.perf_counter()
    cpu = time.process_time()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    end = time.perf_counter()
    cpu = time.process_time() - cpu

print(json.dumps({
    "read": (read - start) * 1e3,
    "evaluate": (end - read) * 1e3,
    "evaluateCpu": cpu * 1e3,
    "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "metrics": [None if value == -1 else float(value) for value in evaluation.stats],
    "version": importlib.metadata.version("pycocotools"),
}))
