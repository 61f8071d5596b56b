-- Every province has residents on every day: its counties' residents on a date are those of population.csv.
select population.province, population.date
from population
left join residents
    on residents.province = population.province
    and residents.valid_from <= population.date
    and residents.valid_until > population.date
group by all
having
    fsum(residents.residents + residents.change_a_day * (population.date - residents.valid_from)) is null
    or abs(
        fsum(residents.residents + residents.change_a_day * (population.date - residents.valid_from))
        - any_value(population.residents)
    ) > 0.001
union all
select iso_3166_2, null
from provinces
anti join population on population.province = provinces.iso_3166_2
