"""Makes an organisation of three accounts on a server that plays AWS, and prints as JSON what was made.

usage: world.py ENDPOINT
"""

import base64
import io
import json
import sys
import zipfile

import boto3

ENDPOINT = sys.argv[1]
REGION = "eu-west-1"
made = {"accounts": [], "users": [], "roles": [], "groups": [], "keys": [], "boundaries": [], "memberships": []}


def client(service, keys=None, region=REGION):
    keys = keys or {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=region, **keys)


def of(account):
    """Credentials inside an account of the organisation."""
    role = f"arn:aws:iam::{account}:role/evenhand-audit"
    held = client("sts").assume_role(RoleArn=role, RoleSessionName="world")["Credentials"]
    return {
        "aws_access_key_id": held["AccessKeyId"],
        "aws_secret_access_key": held["SecretAccessKey"],
        "aws_session_token": held["SessionToken"],
    }


def policy(*actions, effect="Allow", resource="*"):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": resource}]}
    )


def trust(service):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )


def role(iam, account, name, service, *actions, boundary=None):
    more = {"PermissionsBoundary": boundary} if boundary else {}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service), **more)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="main", PolicyDocument=policy(*actions))
    made["roles"].append(arn)
    if boundary:
        made["boundaries"].append([arn, boundary])
    return arn


def identities(account, keys):
    iam = client("iam", keys)
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy("s3:*", "logs:*"))["Policy"]["Arn"]
    iam.create_group(GroupName="people")
    iam.put_group_policy(GroupName="people", PolicyName="main", PolicyDocument=policy("logs:GetLogEvents"))
    made["groups"].append(f"arn:aws:iam::{account}:group/people")
    for name, boundary in (("ann", None), ("ben", limit)):
        more = {"PermissionsBoundary": boundary} if boundary else {}
        arn = iam.create_user(UserName=name, **more)["User"]["Arn"]
        made["users"].append(arn)
        if boundary:
            made["boundaries"].append([arn, boundary])
        iam.add_user_to_group(GroupName="people", UserName=name)
        made["memberships"].append([arn, f"arn:aws:iam::{account}:group/people"])
        made["keys"].append([arn, iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]])
    agent = role(iam, account, "support-agent", "bedrock.amazonaws.com", "s3:GetObject", "s3:DeleteObject")
    runtime = role(iam, account, "runtime", "bedrock-agentcore.amazonaws.com", "s3:*", "ec2:RunInstances", boundary=limit)
    worker = role(iam, account, "worker", "lambda.amazonaws.com", "logs:PutLogEvents")
    return agent, runtime, worker


def agents(account, keys, agent_role, runtime_role):
    bedrock = client("bedrock-agent", keys)
    agent = bedrock.create_agent(agentName="support", agentResourceRoleArn=agent_role, instruction="fake-canary " * 8)
    made["agents"] = [[agent["agent"]["agentArn"], agent_role]]
    core = client("bedrock-agentcore-control", keys)
    runtime = core.create_agent_runtime(
        agentRuntimeName="refunds",
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": f"{account}.dkr.ecr.{REGION}.amazonaws.com/r:1"}},
        roleArn=runtime_role,
        networkConfiguration={"networkMode": "PUBLIC"},
        environmentVariables={"OPENAI_API_KEY": "fake-canary-0123456789"},
    )
    made["agents"].append([runtime["agentRuntimeArn"], runtime_role])
    gateway = core.create_gateway(name="tools", roleArn=runtime_role, protocolType="MCP", authorizerType="AWS_IAM")
    made["agents"].append([gateway["gatewayArn"], runtime_role])


def work(account, keys, worker_role):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return None\n")
    function = client("lambda", keys).create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Role=worker_role,
        Handler="main.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"DB_PASSWORD": "fake-canary-0123456789", "MODE": "fake-canary"}},
    )
    made["functions"] = [[function["FunctionArn"], worker_role]]


def running(account, keys):
    """One of everything else that runs with a role and that the server knows, each with a secret in it."""
    services = ["cloudformation", "codebuild", "ec2", "glue", "states"]
    iam = client("iam", keys)
    trusted = [f"{service}.amazonaws.com" for service in ["ecs-tasks", *services]]
    operator = role(iam, account, "operator", trusted, "*")
    profile = iam.create_instance_profile(InstanceProfileName="operator")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName="operator", RoleName="operator")
    # Whoever may do everything with what runs has to be told what there is.
    cara = iam.create_user(UserName="cara")["User"]["Arn"]
    may = policy(*(f"{service}:*" for service in ["autoscaling", "batch", "codedeploy", *services]), "iam:CreateServiceLinkedRole")
    iam.put_user_policy(UserName="cara", PolicyName="main", PolicyDocument=may)
    made["users"].append(cara)
    secret = "fake-canary-0123456789"
    variables = [{"name": "TOKEN", "value": secret}]
    made["running"] = []
    project = client("codebuild", keys).create_project(
        name="build",
        source={"type": "GITHUB", "location": f"https://{secret}@git.example/x", "buildspec": secret},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "i",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": variables,
        },
        serviceRole=operator,
    )
    made["running"].append([project["project"]["arn"], operator])
    job = client("batch", keys).register_job_definition(
        jobDefinitionName="job",
        type="container",
        containerProperties={
            "image": "i",
            "vcpus": 1,
            "memory": 128,
            "jobRoleArn": operator,
            "command": ["run", secret],
            "environment": variables,
        },
    )
    made["running"].append([job["jobDefinitionArn"], operator])
    machine = client("stepfunctions", keys).create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": secret, "End": True}}}),
        roleArn=operator,
    )
    made["running"].append([machine["stateMachineArn"], operator])
    glue = client("glue", keys)
    glue.create_dev_endpoint(EndpointName="endpoint", RoleArn=operator, PublicKey=secret, Arguments={"--token": secret})
    # The server puts all of them into one zone, of whatever region.
    zone = glue.get_dev_endpoint(EndpointName="endpoint")["DevEndpoint"]["AvailabilityZone"]
    made["running"].append([f"arn:aws:glue:{zone[:-1]}:{account}:devEndpoint/endpoint", operator])
    client("cloudformation", keys).create_stack(
        StackName="stack",
        RoleARN=operator,
        TemplateBody=json.dumps(
            {
                "Parameters": {"Password": {"Type": "String"}},
                "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
                "Outputs": {"Password": {"Value": {"Ref": "Password"}}},
            }
        ),
        Parameters=[{"ParameterKey": "Password", "ParameterValue": secret}],
    )
    data = base64.b64encode(secret.encode()).decode()
    client("ec2", keys).create_launch_template(
        LaunchTemplateName="template",
        VersionDescription=secret,
        LaunchTemplateData={"IamInstanceProfile": {"Arn": profile}, "UserData": data},
    )
    client("autoscaling", keys).create_launch_configuration(
        LaunchConfigurationName="configuration",
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        IamInstanceProfile=profile,
        UserData=secret,
    )


def logs(account, keys):
    client("s3", keys, "us-east-1").create_bucket(Bucket="fake-trail-bucket")
    trails = client("cloudtrail", keys)
    arn = trails.create_trail(Name="all", S3BucketName="fake-trail-bucket", IsMultiRegionTrail=True)["TrailARN"]
    trails.start_logging(Name=arn)
    made["trails"] = [arn]


def organisation():
    org = client("organizations")
    org.create_organization(FeatureSet="ALL")
    root = org.list_roots()["Roots"][0]["Id"]
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        org.enable_policy_type(RootId=root, PolicyType=kind)
    unit = org.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    inner = org.create_organizational_unit(ParentId=unit, Name="production")["OrganizationalUnit"]["Id"]
    members = []
    for name, parent in (("staging", unit), ("production", inner)):
        status = org.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        members.append(status["AccountId"])
        org.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=parent)
    guard = org.create_policy(
        Name="guard",
        Description="no deletes",
        Type="SERVICE_CONTROL_POLICY",
        Content=policy("s3:DeleteObject", effect="Deny"),
    )["Policy"]["PolicySummary"]["Id"]
    org.attach_policy(PolicyId=guard, TargetId=inner)
    return client("sts").get_caller_identity()["Account"], members


def people(account):
    sso = client("sso-admin")
    instances = sso.list_instances()["Instances"] or [sso.create_instance(Name="people")]
    instance = instances[0]["InstanceArn"]
    store = sso.list_instances()["Instances"][0]["IdentityStoreId"]
    users = client("identitystore")
    user = users.create_user(
        IdentityStoreId=store,
        UserName="ann@example.com",
        DisplayName="Ann",
        Name={"GivenName": "Ann", "FamilyName": "Example"},
        Emails=[{"Value": "ann@example.com", "Primary": True}],
    )["UserId"]
    group = users.create_group(IdentityStoreId=store, DisplayName="support")["GroupId"]
    users.create_group_membership(IdentityStoreId=store, GroupId=group, MemberId={"UserId": user})
    made["permission_sets"] = []
    for name, kind, principal in (("Support", "GROUP", group), ("Incident", "USER", user)):
        one = sso.create_permission_set(InstanceArn=instance, Name=name)["PermissionSet"]["PermissionSetArn"]
        sso.put_inline_policy_to_permission_set(
            InstanceArn=instance, PermissionSetArn=one, InlinePolicy=policy("s3:GetObject")
        )
        sso.create_account_assignment(
            InstanceArn=instance,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=one,
            PrincipalType=kind,
            PrincipalId=principal,
        )
        # The vendor does this by itself; here it puts the set into the account of the organisation.
        sso.provision_permission_set(
            InstanceArn=instance, PermissionSetArn=one, TargetType="ALL_PROVISIONED_ACCOUNTS"
        )
        made["permission_sets"].append([one, name, account])


management, members = organisation()
made["management"] = management
made["accounts"] = [management, *members]
for account in made["accounts"]:
    keys = None if account == management else of(account)
    agent_role, runtime_role, worker_role = identities(account, keys)
    if account == members[-1]:
        agents(account, keys, agent_role, runtime_role)
        work(account, keys, worker_role)
        running(account, keys)
logs(management, None)
people(management)
print(json.dumps(made, indent=1))
