/** The object that an S3 event of EventBridge tells of. @param {string} text its detail as JSON */
export function arrivedObject(text) {
  const { bucket, object } = JSON.parse(text);
  return { bucket: bucket.name, key: object.key };
}

/** Where the result for an object goes: `in/a.csv.gz` → `out/a.csv.gz.json`. */
export function resultKey(key) {
  return `${key.replace(/^in\//, 'out/')}.json`;
}
