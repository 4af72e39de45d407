"""The Object Detection API's messages on a current protobuf, without TensorFlow.

The API ships `*_pb2.py` files that protoc 3.x generated; protobuf 4 and later refuse to import them
("Descriptors cannot be created directly"). Each file carries its serialized descriptor all the same, so a
finder on `sys.meta_path` takes that out and lets protobuf's own builder make the messages. The package's
files stay as they are, and so do the import names that the API's own modules use.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.internal import builder

PACKAGE = "object_detection.protos"
_SERIALIZED = re.compile(r"serialized_pb\s*=\s*(b(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"))")


class _ProtoLoader(importlib.abc.Loader):
    """Executes a `*_pb2` module from the serialized descriptor in its file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exec_module(self, module: ModuleType) -> None:
        found = _SERIALIZED.search(self._path.read_text(encoding="utf-8"))
        if found is None:
            raise ImportError(f"{self._path}: no serialized_pb in this file; is it made by protoc?")
        serialized = ast.literal_eval(found.group(1))
        file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
        for dependency in file.dependency:  # a file must be in the pool before one that imports it
            importlib.import_module(dependency.removesuffix(".proto").replace("/", ".") + "_pb2")
        descriptor = descriptor_pool.Default().AddSerializedFile(serialized)
        builder.BuildMessageAndEnumDescriptors(descriptor, module.__dict__)
        builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__, module.__dict__)


class _ProtoFinder(importlib.abc.MetaPathFinder):
    """Finds `object_detection.protos.*_pb2` and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not (fullname.startswith(PACKAGE + ".") and fullname.endswith("_pb2")):
            return None
        for folder in path or ():
            file = Path(folder) / (fullname.rpartition(".")[2] + ".py")
            if file.is_file():
                return importlib.util.spec_from_file_location(fullname, file, loader=_ProtoLoader(file))
        return None


def install_import_hook() -> None:
    """Make `object_detection.protos.*_pb2` importable in this process; a second call does nothing."""
    if not any(isinstance(finder, _ProtoFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ProtoFinder())


install_import_hook()  # at import: the messages below cannot be named before

from object_detection.protos import (  # noqa: E402
    anchor_generator_pb2,
    box_coder_pb2,
    box_predictor_pb2,
    center_net_pb2,
    faster_rcnn_pb2,
    flexible_grid_anchor_generator_pb2,
    grid_anchor_generator_pb2,
    input_reader_pb2,
    model_pb2,
    multiscale_anchor_generator_pb2,
    optimizer_pb2,
    pipeline_pb2,
    post_processing_pb2,
    preprocessor_pb2,
    ssd_anchor_generator_pb2,
    ssd_pb2,
    string_int_label_map_pb2,
    train_pb2,
)

AnchorGenerator = anchor_generator_pb2.AnchorGenerator
BatchNonMaxSuppression = post_processing_pb2.BatchNonMaxSuppression
BoxCoder = box_coder_pb2.BoxCoder
CenterNet = center_net_pb2.CenterNet
CenterNetFeatureExtractor = center_net_pb2.CenterNetFeatureExtractor
CheckpointVersion = train_pb2.CheckpointVersion
ConstantLearningRate = optimizer_pb2.ConstantLearningRate
CosineDecayLearningRate = optimizer_pb2.CosineDecayLearningRate
DetectionModel = model_pb2.DetectionModel
ExponentialDecayLearningRate = optimizer_pb2.ExponentialDecayLearningRate
FasterRcnn = faster_rcnn_pb2.FasterRcnn
FasterRcnnFeatureExtractor = faster_rcnn_pb2.FasterRcnnFeatureExtractor
FlexibleGridAnchorGenerator = flexible_grid_anchor_generator_pb2.FlexibleGridAnchorGenerator
GridAnchorGenerator = grid_anchor_generator_pb2.GridAnchorGenerator
InputReader = input_reader_pb2.InputReader
LearningRate = optimizer_pb2.LearningRate
ManualStepLearningRate = optimizer_pb2.ManualStepLearningRate
MultiscaleAnchorGenerator = multiscale_anchor_generator_pb2.MultiscaleAnchorGenerator
PreprocessingStep = preprocessor_pb2.PreprocessingStep
Ssd = ssd_pb2.Ssd
SsdAnchorGenerator = ssd_anchor_generator_pb2.SsdAnchorGenerator
SsdFeatureExtractor = ssd_pb2.SsdFeatureExtractor
StringIntLabelMap = string_int_label_map_pb2.StringIntLabelMap
TrainEvalPipelineConfig = pipeline_pb2.TrainEvalPipelineConfig

AnchorMessage = GridAnchorGenerator | MultiscaleAnchorGenerator | SsdAnchorGenerator
ConvolutionalPredictor = (
    box_predictor_pb2.ConvolutionalBoxPredictor | box_predictor_pb2.WeightSharedConvolutionalBoxPredictor
)
ExtractorMessage = SsdFeatureExtractor | FasterRcnnFeatureExtractor | CenterNetFeatureExtractor
ModelMessage = Ssd | FasterRcnn | CenterNet
ScheduleMessage = ConstantLearningRate | ExponentialDecayLearningRate | ManualStepLearningRate | CosineDecayLearningRate
