"""An exported row that a check is told of, whose image is nowhere."""

ROW = {
    "instance_id": "ada__sums-1",
    "image": "sweforge/gone:1",
    "eval_script": "true",
    "log_parser": "parse_log_gotest",
    "FAIL_TO_PASS": ["new"],
    "PASS_TO_PASS": ["old"],
    "patch": "+x\n",
}
