/** The wheel that solves: of rattler, which pixi is made of. Each version has wheels for both of Linux's platforms and any Python from 3.10 on. */
export const SOLVER = 'py-rattler==0.28.0';
/** The newest that a build of everything is likely to be there for first: it is fetched where the machine has none of them. */
export const SOLVER_PYTHONS = ['3.12', '3.13', '3.11', '3.10', '3.14'] as const;

/**
 * Argument: a file with what is asked, as JSON; `RAWCLOUD_CHANNELS`: where each channel is, with its credentials, which no argument may
 * hold. The outcome is JSON in the file that `outcome` names.
 *
 * What is `exact` is that build. What is `compatible` keeps its version where there is one for the platform; else one of the same minor
 * release is taken of what was asked for, and any of what others need. If that cannot be, only what was asked for keeps its version, the
 * rest as far as it can. `virtual` packages are those that any machine of this platform and system has.
 */
export const SCRIPT = `
import asyncio, json, os, re, sys
import rattler
from rattler.exceptions import SolverError
from rattler.networking import AddHeadersMiddleware

with open(sys.argv[1]) as file:
    asked = json.load(file)
places = json.loads(os.environ.pop("RAWCLOUD_CHANNELS"))

def headers(host, path):
    for place in places:
        if place["host"].split(":")[0] == host.split(":")[0] and path.startswith(place["path"] + "/"):
            return place["headers"]
    return None

def plain(text):
    for place in places:
        text = text.replace(place["address"], place["channel"])
    return text

def is_of(record, channel):
    return plain(record.url).startswith(channel + "/")

def virtual_packages():
    own = [one.into_generic() for one in rattler.VirtualPackage.detect()]
    kept = [one for one in own if one.name.normalized in ("__unix", "__linux", "__glibc")]
    more = [("__archspec", "1", asked["machine"])] + ([("__cuda", asked["cuda"], "0")] if asked["cuda"] else [])
    return kept + [rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)) for name, version, build in more]

def release(version):
    match = re.match(r"(\\d+!)?(\\d+)(?:\\.(\\d+))?", version)
    return (match.group(1) or "", match.group(2), match.group(3)) if match else None

def series(version):
    parts = release(version)
    return None if parts is None else parts[0] + parts[1] + ("" if parts[2] is None else "." + parts[2]) + ".*"

def loosely(wanted):
    parts = release(wanted["version"])
    if parts is None:
        return ""
    if wanted["name"] == "python":
        return series(wanted["version"])
    least = parts[0] + parts[1] + ("" if parts[2] is None else "." + parts[2])
    return ">=%s,<%s%d" % (least, parts[0], int(parts[1]) + 1)

class Plan:
    def __init__(self, candidates):
        self.candidates = candidates
        self.specs, self.fixed, self.kept, self.favored, self.problems = list(asked["needs"]), [], [], [], []

    def channel_of(self, name, channel):
        others = [one for one in self.candidates.get(name, []) if not is_of(one, channel)]
        address = next((place["address"] for place in places if place["channel"] == channel), channel)
        return address + "::" if others else ""

    def take(self, wanted):
        name, version, level, role = wanted["name"], wanted["version"], wanted["level"], wanted["role"]
        there = [one for one in self.candidates.get(name, []) if is_of(one, wanted["channel"])] or self.candidates.get(name, [])
        same = [one for one in there if one.version == rattler.Version(version)]
        build = [one for one in same if str(one.build) == wanted["build"]]
        if level == "exact" and not build:
            return self.problems.append({"name": name, "kind": "exact"})
        if same:
            best = max(build or same, key=lambda one: (one.build_number, one.timestamp.timestamp() if one.timestamp else 0))
            self.favored.append(best)
        if not there and role == "asked":
            return self.problems.append({"name": name, "kind": "none"})
        near = series(version)
        is_near = near is not None and any(rattler.MatchSpec(name + " " + near).matches(one) for one in there)
        if level == "exact":
            text = "==%s %s" % (version, wanted["build"])
        elif level == "loose":
            text = loosely(wanted)
        elif same:
            text = "==" + version
        elif is_near and (role == "asked" or name == "python"):
            text = near
        elif role == "asked" or name == "python":
            versions = sorted(set(one.version for one in there))[-3:]
            return self.problems.append({"name": name, "kind": "version", "there": [str(one) for one in versions]})
        else:
            text = ""
        spec = "%s%s %s" % (self.channel_of(name, wanted["channel"]) if there else "", name, text)
        if role != "needed":
            if there: self.specs.append(spec.strip())
        elif level == "exact" or name == "python":
            self.fixed.append(spec)
        elif level == "compatible" and same:
            self.kept.append(spec)

async def main():
    client = rattler.Client([AddHeadersMiddleware(headers)])
    gateway = rattler.Gateway(cache_dir=asked["cache"], client=client)
    channels = [place["address"] for place in places]
    platforms = [asked["subdir"], "noarch"]
    names = sorted(set(one["name"] for one in asked["wanted"]))
    candidates = {}
    for found in await gateway.query(channels, platforms, names, recursive=False):
        for record in found:
            candidates.setdefault(record.name.normalized, []).append(record)
    plan = Plan(candidates)
    for wanted in asked["wanted"]:
        plan.take(wanted)
    for one in asked["add"]:
        address = next(place["address"] for place in places if place["channel"] == one["channel"])
        plan.specs.append(("%s::%s %s" % (address, one["name"], one["versions"])).strip())
    if plan.problems:
        return {"problems": plan.problems}
    failure = None
    for kept in ([plan.kept, []] if plan.kept else [[]]):
        try:
            records = await rattler.solve(
                channels, plan.specs, gateway=gateway, platforms=platforms, locked_packages=plan.favored,
                virtual_packages=virtual_packages(), constraints=plan.fixed + kept)
            order = [one.name.normalized for one in rattler.PackageRecord.sort_topologically(records)]
            ordered = sorted(records, key=lambda one: order.index(one.name.normalized))
            return {"packages": [{
                "name": one.name.normalized, "version": str(one.version), "build": str(one.build), "url": plain(one.url),
                **({"sha256": one.sha256.hex()} if one.sha256 else {}), **({"md5": one.md5.hex()} if one.md5 else {}),
            } for one in ordered]}
        except SolverError as error:
            failure = error
    return {"unsolved": plain(str(failure))}

try:
    outcome = asyncio.run(main())
except Exception as error:
    outcome = {"failed": plain(str(error) or type(error).__name__)}
with open(asked["outcome"], "w") as file:
    json.dump(outcome, file)
sys.stdout.flush()
# Its threads are not done when Python takes itself apart.
os._exit(0)
`;
