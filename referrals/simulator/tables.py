from piccolo.columns import BigSerial
from piccolo.constraints import Check
from piccolo.table import Table

from app.columns import count, document, moment, reference, words
from community.members.tables import Member
from referrals.programs.tables import ProgramVersion
from storefront.stores.tables import Store


class Simulation(Table, tablename="simulation"):
    """The last days of a store replayed under another policy, to see who would win and lose. It moves nothing."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    against_id = reference(ProgramVersion)
    made_by = reference(Member)
    draft = document()
    days = count()
    state = words()
    orders = count()
    done = count()
    result = document()
    created_at = moment()
    finished_at = moment(null=True)

    simulation_state_known = Check("state IN ('queued', 'running', 'done', 'failed')")
