"""Names that AllenNLP imports and that `huggingface_hub` 1 removed."""


def provide_removed_classes() -> None:
    """
    `allennlp.common.push_to_hf` imports `HfFolder` and `Repository`, which are not in
    `huggingface_hub` 1. Every `allennlp` command imports this module, but only `push-to-hf` uses
    the classes, so they are defined and raise an error when they are used. The command has not
    worked since `huggingface_hub` 0.10, which removed arguments that it passes.
    """
    import huggingface_hub

    for name in ("HfFolder", "Repository"):
        if not hasattr(huggingface_hub, name):
            setattr(huggingface_hub, name, Removed)


class Removed:
    """Stands for a removed class. Constructing it or reading the token is an error."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.get_token()

    @staticmethod
    def get_token() -> None:
        """
        # Raises

        `RuntimeError`
            Always.
        """
        import huggingface_hub

        raise RuntimeError(
            "AllenNLP's push-to-hf requires the classes HfFolder and Repository of "
            f"huggingface_hub 0, but got huggingface_hub {huggingface_hub.__version__}. Upload the "
            "directory with the command `hf upload` or with `huggingface_hub.upload_folder`."
        )
