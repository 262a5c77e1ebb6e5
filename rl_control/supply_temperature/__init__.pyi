from .cost import HeatCost as HeatCost
from .limits import SupplyLimits as SupplyLimits
from .plan import PlanSettings as PlanSettings
from .plan import SupplyPlan as SupplyPlan
from .plan import plan_supply as plan_supply
from .window import SupplyWindow as SupplyWindow
