set -euo pipefail
mkdir -p out
aws dynamodb scan --table-name "$TABLE" --output json > out/orders.json
echo "$(wc -c < out/orders.json) bytes of orders"
