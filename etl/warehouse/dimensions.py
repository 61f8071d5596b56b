CELL = ("province", "activity", "gender", "education", "post")
PLACES = ("province", "county", "institute")
