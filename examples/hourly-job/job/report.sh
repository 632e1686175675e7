# Runs on the VM, as the job's role. TABLE, REPORT_URL and TOKEN are set; the AWS CLI and curl come with Amazon Linux.
set -euo pipefail

count=$(aws dynamodb scan --table-name "$TABLE" --select COUNT --query Count --output text)
echo "orders: $count"

# From standard input, for arguments can be seen by every process of the machine.
curl --fail --silent --show-error --header @- --json "{\"orders\": $count}" "$REPORT_URL" <<<"Authorization: Bearer $TOKEN"
