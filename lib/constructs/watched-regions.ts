/** As AWS names regions: `eu-west-1`, `us-gov-east-1`. */
const REGION = /^[a-z]{2}(-[a-z]+)+-\d{1,2}$/;

/** @throws naming each that is no region's name, and what is allowed */
export function checkRegions(regions: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = (regions ?? []).filter((region) => !REGION.test(region));
  if (wrong.length === 0) return regions;
  throw new Error(
    `rawcloud: 'watchedRegions' has ${wrong.map((region) => `'${region}'`).join(', ')}; allowed are names of regions that are known before the deployment, as 'eu-west-1'`,
  );
}
