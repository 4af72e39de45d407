"""The pipeline `tune_and_train`: from an Experiment and records to a published model."""

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from pipelines.components.check_data import check_data
from pipelines.components.digests import digests
from pipelines.delivering import Delivery, deliver
from pipelines.outputs import Tuned
from pipelines.placement import Placement, Scheduling, place
from pipelines.searching import Search, search_and_train


def make(placement: Placement) -> GraphComponent:
    """The pipeline, placed."""

    @dsl.pipeline(name="tune-and-train")
    def tune_and_train(
        experiment: str,
        data: str,
        volume: str = "data",
        engine: str = "katib",
        max_trials: int = 0,
        num_steps: int = 0,
        parallel: int = 0,
        seeds: int = 1,
        split: str = "test",
        formats: list = [],
        model_name: str = "detector",
        publish_to: str = "",
        namespace: str = "",
        trial_image: str = "",
        cache_claim: str = "",
        journal: str = "",
        memory: str = "4Gi",
        search_gpus: str = "",
        gpus: str = "",
        gpu_type: str = "nvidia.com/gpu",
        tolerations: list = [],
        node_selector: dict = {},
    ) -> Tuned:
        """Search what an Experiment says, train its best, measure it on the test split, export and publish it.

        Args:
            experiment: The Experiment: the text of its file, with the ConfigMaps that it mounts; or a path or URL.
            data: The folder of the records: a path that the steps see (a mounted claim), or gs://, s3://, minio://.
            volume: The trials' volume (or claim) that the folder stands for.
            engine: Who searches: katib makes the Experiment on the cluster, local searches within the step.
            max_trials: Trials, instead of maxTrialCount; 0 as the Experiment says.
            num_steps: Steps of every training, schedule included; 0 as the Experiment says.
            parallel: Trials at a time, instead of parallelTrialCount; 0 as the Experiment says.
            seeds: How often the best config is trained; the best on the validation split is the model.
            split: What the model is measured on in the end: test, or validation where there is no test split.
            formats: Of the export: saved_model, tflite, tflite_fp16, tflite_int8, onnx; none for all that it can.
            model_name: Of the published model.
            publish_to: The folder or gs:// prefix that holds the model's versions; empty: the artifact alone has it.
            namespace: Where the Experiment is made (engine katib); empty for the run's own.
            trial_image: Of the trials; empty as the Experiment says.
            cache_claim: A claim that the trials share for the records that they fetch (engine katib); empty for none.
            journal: A folder or URL where engine local keeps its journal; empty for below the pipeline root.
            memory: The limit of each step that searches, trains, measures or exports.
            search_gpus: How many the search asks for (engine local; Katib's trials ask themselves); empty for none.
            gpus: How many each step after the search asks for; empty for none.
            gpu_type: The resource that a GPU is.
            tolerations: Of these steps' pods, as Kubernetes has them.
            node_selector: Of these steps' pods, label by label.
        """
        scheduling = Scheduling(gpus, gpu_type, memory, tolerations, node_selector)
        looked = digests(
            image=placement.image,
            experiment=experiment,
            data=data,
            volume=volume,
            engine=engine,
            max_trials=max_trials,
            parallel=parallel,
            num_steps=num_steps,
            trial_image=trial_image,
            seeds=seeds,
            formats=formats,
            split=split,
            publish_to=publish_to,
            model_name=model_name,
        )
        place(looked, placement, cached=False)
        prepared, digest, software = (looked.outputs[name] for name in ("experiment", "data", "software"))
        checked = check_data(
            experiment=prepared, data=data, data_digest=digest, software=software, volume=volume, split=split
        )
        place(checked, placement)
        dataset = checked.outputs["dataset"]
        search = Search(
            dataset, prepared, digest, software, engine, volume, namespace, cache_claim, journal, search_gpus, seeds
        )
        searched = search_and_train(search, placement, scheduling)
        model = searched.train.outputs["model"]
        delivery = Delivery(model, dataset, digest, software, split, formats, publish_to, model_name)
        delivered = deliver(delivery, placement, scheduling)
        return Tuned(
            searched.report.outputs["page"],
            delivered.evaluate.outputs["page"],
            model,
            delivered.publish.outputs["published"],
            delivered.publish.outputs["Output"],
        )

    return tune_and_train
