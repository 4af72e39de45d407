"""The pipeline `train_only`: from a pipeline.config and records to a published model, without a search."""

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from pipelines.components.check_data import check_data
from pipelines.components.digests import digests
from pipelines.components.train_config import train_config
from pipelines.delivering import Delivery, deliver
from pipelines.outputs import Trained
from pipelines.placement import Placement, Scheduling, place, place_heavy


def make(placement: Placement) -> GraphComponent:
    """The pipeline, placed."""

    @dsl.pipeline(name="train-only")
    def train_only(
        config: str,
        data: str,
        num_steps: int = 0,
        seeds: int = 1,
        split: str = "test",
        formats: list = [],
        model_name: str = "detector",
        publish_to: str = "",
        memory: str = "4Gi",
        gpus: str = "",
        gpu_type: str = "nvidia.com/gpu",
        tolerations: list = [],
        node_selector: dict = {},
    ) -> Trained:
        """Train a pipeline.config, measure the model on the test split, export and publish it.

        Args:
            config: The pipeline.config: its text, or a path or URL; its relative paths begin at the data's folder.
            data: The folder of the records: a path that the steps see (a mounted claim), or gs://, s3://, minio://.
            num_steps: Steps of the training, schedule included; 0 as the config says.
            seeds: How often it is trained; the best on the validation split is the model.
            split: What the model is measured on in the end: test, or validation where there is no test split.
            formats: Of the export: saved_model, tflite, tflite_fp16, tflite_int8, onnx; none for all that it can.
            model_name: Of the published model.
            publish_to: The folder or gs:// prefix that holds the model's versions; empty: the artifact alone has it.
            memory: The limit of each step that trains, measures or exports.
            gpus: How many each of these steps asks for; empty for none.
            gpu_type: The resource that a GPU is.
            tolerations: Of these steps' pods, as Kubernetes has them.
            node_selector: Of these steps' pods, label by label.
        """
        scheduling = Scheduling(gpus, gpu_type, memory, tolerations, node_selector)
        looked = digests(
            image=placement.image,
            config=config,
            data=data,
            num_steps=num_steps,
            seeds=seeds,
            formats=formats,
            split=split,
            publish_to=publish_to,
            model_name=model_name,
        )
        place(looked, placement, cached=False)
        text, digest, software = (looked.outputs[name] for name in ("config", "data", "software"))
        checked = check_data(config=text, data=data, data_digest=digest, software=software, split=split)
        place(checked, placement)
        dataset = checked.outputs["dataset"]
        trained = train_config(
            config=text, dataset=dataset, software=software, data_digest=digest, seeds=seeds, num_steps=num_steps
        )
        place_heavy(trained, placement, scheduling)
        model = trained.outputs["model"]
        delivery = Delivery(model, dataset, digest, software, split, formats, publish_to, model_name)
        delivered = deliver(delivery, placement, scheduling)
        return Trained(
            delivered.evaluate.outputs["page"],
            model,
            delivered.publish.outputs["published"],
            delivered.publish.outputs["Output"],
        )

    return train_only
