"""moto's server on a free port of loopback, with what it lacks of AWS as our tests need it."""

import os
import sys

# Images, types and managed policies as AWS has them, where moto would take anything.
for setting in ("ENABLE_AMI_VALIDATION", "EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "IAM_LOAD_MANAGED_POLICIES"):
    os.environ["MOTO_" + setting] = "true"

from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, Event, Stack
from moto.ec2.models import ec2_backends
from moto.iam.models import ManagedPolicy, iam_backends
from moto.server import main
from moto.ssm.models import Parameter
from moto.utilities.utils import get_partition


def parameters_have_a_map_of_tags():
    """moto takes the tags of a parameter for a list, which are a map in CloudFormation (user guide, AWS::SSM::Parameter)."""
    create = Parameter.create_from_cloudformation_json.__func__

    def create_with_map(cls, name, resource, *rest, **named):
        properties = resource["Properties"]
        tags = properties.get("Tags")
        if isinstance(tags, dict):
            properties = {**properties, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        return create(cls, name, {**resource, "Properties": properties}, *rest, **named)

    Parameter.create_from_cloudformation_json = classmethod(create_with_map)


def managed_policies_go_with_their_stack():
    """In moto they stay, attached to the stack's roles, which then cannot be deleted."""

    def detach_and_delete(cls, arn, resource, account, region):
        backend = iam_backends[account][get_partition(region)]
        for holders in (backend.roles, backend.users, backend.groups):
            for holder in holders.values():
                holder.managed_policies.pop(arn, None)
        backend.managed_policies.pop(arn, None)

    ManagedPolicy.delete_from_cloudformation_json = classmethod(detach_and_delete)


def zones_are_those_of_the_region():
    """To moto a stack in any region has four zones, and those of us-east-1 (user guide, Fn::GetAZs: those of the stack's region)."""
    clean = parsing.clean_json

    def clean_with_zones(value, resources):
        if isinstance(value, dict) and value.get("Fn::GetAZs") == "":
            backend = ec2_backends[resources["AWS::AccountId"]][resources["AWS::Region"]]
            return [zone.name for zone in backend.describe_availability_zones()]
        return clean(value, resources)

    parsing.clean_json = clean_with_zones


def stacks_that_fail_are_rolled_back():
    """
    A resource that cannot be made fails moto's call, and the stack stays as it is. CloudFormation answers the call, and takes back
    what it has made; its events say what was made, what failed and why, and what it leaves (user guide, "Stack failure options";
    a resource with DeletionPolicy Retain is DELETE_SKIPPED). What fails, and with which words, is moto's own doing.
    """
    make, create, update = parsing.parse_and_create_resource, CloudFormationBackend.create_stack, Stack.update

    def make_or_name(logical_id, resource, *rest, **named):
        try:
            return make(logical_id, resource, *rest, **named)
        except Exception as error:
            # Of resources that are made for one another, the innermost is the one.
            if not hasattr(error, "failed_resource"):
                error.failed_resource = (logical_id, resource["Type"])
            raise

    def tell(stack, logical_id, kind, status, physical_id="", reason=None):
        event = Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=logical_id,
            physical_resource_id=physical_id,
            resource_type=kind,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
        stack.events.append(event)

    def tell_failure(stack, error, status):
        # Not the stack's own, as a name that is taken or a template that is none: such a call fails at AWS, too.
        logical_id, kind = error.failed_resource
        tell(stack, logical_id, kind, status, reason=getattr(error, "message", str(error)))

    def roll_back(stack, error):
        made = stack.resource_map._parsed_resources
        resources = {id: of for id, of in stack.template_dict["Resources"].items() if made.get(id) is not None}
        # moto's permissions of functions have none.
        physical_ids = {id: getattr(made[id], "physical_resource_id", "") for id in resources}
        for id, of in resources.items():
            tell(stack, id, of["Type"], "CREATE_COMPLETE", physical_ids[id])
        tell_failure(stack, error, "CREATE_FAILED")
        stack._add_stack_event("ROLLBACK_IN_PROGRESS")
        stack.resource_map.delete()
        for id, of in resources.items():
            status = "DELETE_SKIPPED" if of.get("DeletionPolicy") == "Retain" else "DELETE_COMPLETE"
            tell(stack, id, of["Type"], status, physical_ids[id])
        # A look at the stack would make its resources and outputs anew.
        stack.resource_map._resource_json_map = {}
        stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack.stack_id)
        stack.status = "ROLLBACK_COMPLETE"
        stack._add_stack_event("ROLLBACK_COMPLETE")

    def create_or_roll_back(backend, name, *rest, **named):
        try:
            return create(backend, name, *rest, **named)
        except Exception as error:
            if not hasattr(error, "failed_resource"):
                raise
            stack = next(one for one in backend.stacks.values() if one.name == name)
            roll_back(stack, error)
            return stack

    def update_or_roll_back(stack, template, *rest, **named):
        before = stack.template
        try:
            return update(stack, template, *rest, **named)
        except Exception as error:
            if not hasattr(error, "failed_resource"):
                raise
            tell_failure(stack, error, "CREATE_FAILED")
            stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS")
            stack.template = before
            stack._parse_template()
            stack.resource_map.update(stack.template_dict)
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
            stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")

    parsing.parse_and_create_resource = make_or_name
    CloudFormationBackend.create_stack = create_or_roll_back
    Stack.update = update_or_roll_back


parameters_have_a_map_of_tags()
managed_policies_go_with_their_stack()
zones_are_those_of_the_region()
stacks_that_fail_are_rolled_back()
# moto looks whether an object is there and then writes it, without a lock: of 20 that write first, two win in one of 150
# races. With this its threads change only when one of them waits, which none does in between.
sys.setswitchinterval(60)
main(["--host", "127.0.0.1", "--port", "0"])
