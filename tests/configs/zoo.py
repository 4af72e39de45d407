"""Configs with the values of the TensorFlow 2 model zoo's, one of each shape that it has, written from parts.

Paths are the zoo's placeholders: these configs are read and edited, not trained.
"""

from __future__ import annotations

from collections.abc import Mapping


def _hyperparams(
    weight: float, activation: str, initializer: str, decay: float, more: str = "", trained: bool = False
) -> str:
    return f"""conv_hyperparams {{
      {more} activation: {activation}
      regularizer {{ l2_regularizer {{ weight: {weight} }} }}
      initializer {{ {initializer} }}
      batch_norm {{ scale: true decay: {decay} epsilon: 0.001 {"center: true train: true" if trained else ""} }}
    }}"""


_NORMAL = "random_normal_initializer { stddev: 0.01 mean: 0.0 }"
_TRUNCATED = "truncated_normal_initializer { stddev: 0.03 mean: 0.0 }"
_PYRAMID_ANCHORS = """anchor_generator { multiscale_anchor_generator {
      min_level: 3 max_level: 7 anchor_scale: 4.0 aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: %d } }"""
_SSD_ANCHORS = """anchor_generator { ssd_anchor_generator { num_layers: 6 min_scale: 0.2 max_scale: 0.95
      aspect_ratios: 1.0 aspect_ratios: 2.0 aspect_ratios: 0.5 aspect_ratios: 3.0 aspect_ratios: 0.3333 } }"""
_PADDED = "keep_aspect_ratio_resizer { min_dimension: %d max_dimension: %d pad_to_max_dimension: true }"
_FIXED = "fixed_shape_resizer { height: %d width: %d }"


def _ssd(
    resizer: str, extractor: str, anchors: str, predictor: str, focal: str, iou: float = 0.6, more: str = ""
) -> str:
    return f"""model {{ ssd {{
    inplace_batchnorm_update: true freeze_batchnorm: false num_classes: 90 {more}
    box_coder {{ faster_rcnn_box_coder {{ y_scale: 10.0 x_scale: 10.0 height_scale: 5.0 width_scale: 5.0 }} }}
    matcher {{ argmax_matcher {{ matched_threshold: 0.5 unmatched_threshold: 0.5 ignore_thresholds: false
      negatives_lower_than_unmatched: true force_match_for_each_row: true use_matmul_gather: true }} }}
    similarity_calculator {{ iou_similarity {{ }} }}
    encode_background_as_zeros: true
    {anchors}
    image_resizer {{ {resizer} }}
    box_predictor {{ {predictor} }}
    feature_extractor {{ {extractor} }}
    loss {{ classification_loss {{ weighted_sigmoid_focal {{ {focal} }} }}
      localization_loss {{ weighted_smooth_l1 {{ }} }}
      classification_weight: 1.0 localization_weight: 1.0 }}
    normalize_loss_by_num_matches: true normalize_loc_loss_by_codesize: true
    post_processing {{ batch_non_max_suppression {{ score_threshold: 1e-8 iou_threshold: {iou}
      max_detections_per_class: 100 max_total_detections: 100 }} score_converter: SIGMOID }}
  }} }}"""


def _pyramid_ssd(kind: str, size: int, weight: float, depth: int, initializer: str, lite: bool = False) -> str:
    depthwise = "use_depthwise: true" if lite else ""
    fpn = (
        "fpn { min_level: 3 max_level: 7 additional_layer_depth: 128 }" if lite else "fpn { min_level: 3 max_level: 7 }"
    )
    predictor = f"""weight_shared_convolutional_box_predictor {{ depth: {depth} class_prediction_bias_init: -4.6
      {_hyperparams(weight, "RELU_6", _NORMAL, 0.997)}
      num_layers_before_predictor: 4 kernel_size: 3 {depthwise} {"share_prediction_tower: true" if lite else ""} }}"""
    extractor = f"""type: '{kind}' {fpn} {depthwise} min_depth: 16 depth_multiplier: 1.0
      {_hyperparams(weight, "RELU_6", initializer, 0.997)} override_base_feature_extractor_hyperparams: true"""
    return _ssd(_FIXED % (size, size), extractor, _PYRAMID_ANCHORS % 2, predictor, "alpha: 0.25 gamma: 2.0")


def _efficientdet(number: int, size: int, filters: int, iterations: int) -> str:
    swish = _hyperparams(0.00004, "SWISH", _NORMAL, 0.99, "force_use_bias: true")
    predictor = f"""weight_shared_convolutional_box_predictor {{ depth: {filters} class_prediction_bias_init: -4.6
      {swish} num_layers_before_predictor: 3 kernel_size: 3 use_depthwise: true }}"""
    extractor = f"""type: 'ssd_efficientnet-b{number}_bifpn_keras'
      bifpn {{ min_level: 3 max_level: 7 num_iterations: {iterations} num_filters: {filters} }}
      {_hyperparams(0.00004, "SWISH", _TRUNCATED, 0.99, "force_use_bias: true")}"""
    focal = "alpha: 0.25 gamma: 1.5"
    anchors = _PYRAMID_ANCHORS % 3
    return _ssd(_PADDED % (size, size), extractor, anchors, predictor, focal, 0.5, "add_background_class: false")


def _faster_rcnn(resizer: str, extractor: str, anchors: str = "", total: int = 300, more: str = "") -> str:
    grid = """grid_anchor_generator { scales: [0.25, 0.5, 1.0, 2.0] aspect_ratios: [0.5, 1.0, 2.0]
      height_stride: 16 width_stride: 16 }"""
    return f"""model {{ faster_rcnn {{
    num_classes: 90 image_resizer {{ {resizer} }} feature_extractor {{ {extractor} }}
    first_stage_anchor_generator {{ {anchors or grid} }}
    first_stage_box_predictor_conv_hyperparams {{ op: CONV regularizer {{ l2_regularizer {{ weight: 0.0 }} }}
      initializer {{ truncated_normal_initializer {{ stddev: 0.01 }} }} }}
    first_stage_nms_score_threshold: 0.0 first_stage_nms_iou_threshold: 0.7 first_stage_max_proposals: 300
    first_stage_localization_loss_weight: 2.0 first_stage_objectness_loss_weight: 1.0
    initial_crop_size: 14 maxpool_kernel_size: 2 maxpool_stride: 2
    second_stage_box_predictor {{ mask_rcnn_box_predictor {{ use_dropout: false dropout_keep_probability: 1.0
      fc_hyperparams {{ op: FC regularizer {{ l2_regularizer {{ weight: 0.0 }} }}
        initializer {{ variance_scaling_initializer {{ factor: 1.0 uniform: true mode: FAN_AVG }} }} }} {more} }} }}
    second_stage_post_processing {{ batch_non_max_suppression {{ score_threshold: 0.0 iou_threshold: 0.6
      max_detections_per_class: 100 max_total_detections: {total} }} score_converter: SOFTMAX }}
    second_stage_localization_loss_weight: 2.0 second_stage_classification_loss_weight: 1.0
  }} }}"""


def _center_net(extractor: str) -> str:
    return f"""model {{ center_net {{
    num_classes: 90 feature_extractor {{ {extractor} }} image_resizer {{ {_PADDED % (512, 512)} }}
    object_detection_task {{ task_loss_weight: 1.0 offset_loss_weight: 1.0 scale_loss_weight: 0.1
      localization_loss {{ l1_localization_loss {{ }} }} }}
    object_center_params {{ object_center_loss_weight: 1.0 min_box_overlap_iou: 0.7 max_box_predictions: 100
      classification_loss {{ penalty_reduced_logistic_focal_loss {{ alpha: 2.0 beta: 4.0 }} }} }}
  }} }}"""


_FLIP = "data_augmentation_options { random_horizontal_flip { } }"
_COLOURS = "".join(
    f"data_augmentation_options {{ random_adjust_{name} {{ }} }}" for name in ("hue", "contrast", "saturation")
)
_PAD = "data_augmentation_options { random_absolute_pad_image { max_height_padding: 200 max_width_padding: 200 } }"
_CROP = "data_augmentation_options { random_crop_image { min_area: 0.75 max_area: 1.0 } }"


def _training(batch: int, steps: int, optimizer: str, augmentation: str, kind: str = "classification") -> str:
    return f"""train_config {{
    fine_tune_checkpoint_version: V2 fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED/ckpt-1"
    fine_tune_checkpoint_type: "{kind}" batch_size: {batch} num_steps: {steps} {augmentation}
    optimizer {{ {optimizer} use_moving_average: false }}
    max_number_of_boxes: 100 unpad_groundtruth_tensors: false
  }}
  train_input_reader {{ label_map_path: "PATH_TO_BE_CONFIGURED/label_map.txt"
    tf_record_input_reader {{ input_path: "PATH_TO_BE_CONFIGURED/train2017-?????-of-00256.tfrecord" }} }}
  eval_config {{ metrics_set: "coco_detection_metrics" use_moving_averages: false batch_size: 1 }}
  eval_input_reader {{ label_map_path: "PATH_TO_BE_CONFIGURED/label_map.txt" shuffle: false num_epochs: 1
    tf_record_input_reader {{ input_path: "PATH_TO_BE_CONFIGURED/val2017-?????-of-00032.tfrecord" }} }}"""


def _cosine(rate: float, steps: int, warm_rate: float, warm_steps: int, optimizer: str = "momentum_optimizer") -> str:
    momentum = "momentum_optimizer_value: 0.9" if optimizer == "momentum_optimizer" else "epsilon: 1e-7"
    return f"""{optimizer} {{ learning_rate {{ cosine_decay_learning_rate {{ learning_rate_base: {rate}
      total_steps: {steps} warmup_learning_rate: {warm_rate} warmup_steps: {warm_steps} }} }} {momentum} }}"""


_STEPPED = """adam_optimizer { epsilon: 1e-7 learning_rate { manual_step_learning_rate { initial_learning_rate: 1e-3
    schedule { step: 90000 learning_rate: 1e-4 } schedule { step: 120000 learning_rate: 1e-5 } } } }"""
_MOBILENET_V2 = _ssd(
    _FIXED % (300, 300),
    f"""type: 'ssd_mobilenet_v2_keras' min_depth: 16 depth_multiplier: 1.0
      {_hyperparams(0.00004, "RELU_6", _TRUNCATED, 0.97, trained=True)}
      override_base_feature_extractor_hyperparams: true""",
    _SSD_ANCHORS,
    f"""convolutional_box_predictor {{ min_depth: 0 max_depth: 0 num_layers_before_predictor: 0 use_dropout: false
      kernel_size: 1 box_code_size: 4 class_prediction_bias_init: -4.6
      {_hyperparams(0.00004, "RELU_6", _NORMAL, 0.97, trained=True)} }}""",
    "alpha: 0.75 gamma: 2.0",
)
_RCNN_PYRAMID = """multiscale_anchor_generator { min_level: 2 max_level: 6 anchor_scale: 4.0
  aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: 2 normalize_coordinates: false }"""
_RCNN_FPN = f"""type: 'faster_rcnn_resnet50_fpn_keras' batch_norm_trainable: true fpn {{ min_level: 2 max_level: 6 }}
  {_hyperparams(0.0004, "RELU_6", _TRUNCATED, 0.997)} override_base_feature_extractor_hyperparams: true"""
_SQUARE_CROP = "data_augmentation_options { random_scale_crop_and_pad_to_square { output_size: %d scale_max: 2.0 } }"
_SCALE_CROP = "data_augmentation_options { random_square_crop_by_scale { scale_min: 0.6 scale_max: 1.3 } }"
_SSD_CROP = "data_augmentation_options { ssd_random_crop { } }"
_MASKS = """mask_height: 33 mask_width: 33 mask_prediction_conv_depth: 0 mask_prediction_num_conv_layers: 4
  conv_hyperparams { op: CONV regularizer { l2_regularizer { weight: 0.0 } }
    initializer { truncated_normal_initializer { stddev: 0.01 } } } predict_instance_masks: true"""
_LOAD_MASKS, _MAP = "load_instance_masks: true mask_type: PNG_MASKS", "label_map_path:"
_CENTER_NET = _FLIP + _CROP + _COLOURS + _PAD

# Name in the zoo: the config's text.
ZOO: Mapping[str, str] = {
    "ssd_mobilenet_v2_320x320": _MOBILENET_V2
    + _training(
        512, 50000, _cosine(0.08, 50000, 0.013333, 2000), _FLIP + "data_augmentation_options { ssd_random_crop { } }"
    ),
    "ssd_mobilenet_v2_fpnlite_320x320": _pyramid_ssd(
        "ssd_mobilenet_v2_fpn_keras", 320, 0.00004, 128, _NORMAL, lite=True
    )
    + _training(128, 50000, _cosine(0.08, 50000, 0.026666, 1000), _FLIP + _CROP),
    "ssd_mobilenet_v1_fpn_640x640": _pyramid_ssd("ssd_mobilenet_v1_fpn_keras", 640, 0.00004, 256, _NORMAL)
    + _training(64, 25000, _cosine(0.04, 25000, 0.013333, 2000), _FLIP + _CROP),
    "ssd_resnet50_v1_fpn_640x640": _pyramid_ssd("ssd_resnet50_v1_fpn_keras", 640, 0.0004, 256, _TRUNCATED)
    + _training(64, 25000, _cosine(0.04, 25000, 0.013333, 2000), _FLIP + _CROP),
    "ssd_resnet101_v1_fpn_1024x1024": _pyramid_ssd("ssd_resnet101_v1_fpn_keras", 1024, 0.0004, 256, _TRUNCATED)
    + _training(64, 100000, _cosine(0.04, 100000, 0.013333, 2000), _FLIP + _CROP),
    "efficientdet_d0_512x512": _efficientdet(0, 512, 64, 3)
    + _training(128, 300000, _cosine(0.08, 300000, 0.001, 2500), _FLIP + _SQUARE_CROP % 512),
    "efficientdet_d1_640x640": _efficientdet(1, 640, 88, 4)
    + _training(128, 300000, _cosine(0.08, 300000, 0.001, 2500), _FLIP + _SQUARE_CROP % 640),
    "faster_rcnn_resnet50_v1_640x640": _faster_rcnn(
        _PADDED % (640, 640),
        "type: 'faster_rcnn_resnet50_keras' batch_norm_trainable: true",
        more="share_box_across_classes: true",
    )
    + _training(64, 25000, _cosine(0.04, 25000, 0.013333, 2000), _FLIP),
    "faster_rcnn_resnet50_v1_fpn_640x640": _faster_rcnn(_PADDED % (640, 640), _RCNN_FPN, _RCNN_PYRAMID)
    + _training(64, 25000, _cosine(0.04, 25000, 0.013333, 2000), _FLIP),
    "faster_rcnn_resnet101_v1_800x1333": _faster_rcnn(
        _PADDED % (800, 1333), "type: 'faster_rcnn_resnet101_keras'", total=100
    )
    + _training(16, 200000, _cosine(0.01, 200000, 0.0, 5000), _FLIP + _COLOURS + _SCALE_CROP),
    "faster_rcnn_resnet152_v1_1024x1024": _faster_rcnn(
        _FIXED % (1024, 1024), "type: 'faster_rcnn_resnet152_keras' batch_norm_trainable: true"
    )
    + _training(64, 100000, _cosine(0.04, 100000, 0.013333, 2000), _FLIP + _COLOURS + _SCALE_CROP),
    "mask_rcnn_inception_resnet_v2_1024x1024": _faster_rcnn(
        _FIXED % (1024, 1024), "type: 'faster_rcnn_inception_resnet_v2_keras'", total=100, more=_MASKS
    )
    + _training(16, 200000, _cosine(0.008, 200000, 0.0, 5000), _FLIP).replace(_MAP, f"{_LOAD_MASKS} {_MAP}"),
    "centernet_hourglass104_512x512": _center_net(
        """type: "hourglass_104" bgr_ordering: true channel_means: [104.01362025, 114.03422265, 119.9165958]
           channel_stds: [73.6027665, 69.89082075, 70.9150767]"""
    )
    + _training(128, 140000, _STEPPED, _CENTER_NET, "detection"),
    "centernet_resnet101_v1_fpn_512x512": _center_net('type: "resnet_v1_101_fpn"')
    + _training(128, 140000, _STEPPED, _CENTER_NET),
    "centernet_resnet50_v2_512x512": _center_net('type: "resnet_v2_50"')
    + _training(128, 250000, _cosine(0.001, 250000, 0.00025, 5000, "adam_optimizer"), _CENTER_NET),
}
