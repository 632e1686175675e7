import { CfnOutput, Stack } from 'aws-cdk-lib';
import { GatewayVpcEndpointAwsService, Peer, Port, PrefixList, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { RawCloud } from 'rawcloud';

/** A VPC without any way to or from the internet; its VMs reach S3 by the gateway endpoint, and what else is in the VPC. */
export class OwnVpcStack extends Stack {
  constructor(scope, id, { s3PrefixListId, ...props }) {
    super(scope, id, props);
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [{ name: 'Jobs', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });

    const vms = new SecurityGroup(this, 'Vms', { vpc, description: 'VMs of jobs: nothing in, only S3 out', allowAllOutbound: false });
    vms.addEgressRule(Peer.prefixList(PrefixList.fromPrefixListId(this, 'S3', s3PrefixListId).prefixListId), Port.tcp(443), 'S3');

    const cloud = new RawCloud(this, 'RawCloud', {
      name: 'own-vpc',
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [vms],
    });

    // Whoever has something that jobs may connect to lets them in by the scaffolding's connections.
    const database = new SecurityGroup(this, 'Database', { vpc, description: 'Of a database that jobs read', allowAllOutbound: false });
    database.connections.allowFrom(cloud, Port.tcp(5432), 'jobs');

    new CfnOutput(this, 'DatabaseGroup', { value: database.securityGroupId, description: 'Give it to the database' });
  }
}
